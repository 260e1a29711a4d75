# Images, masks of train and texts → the segmenter that the others are held against (Table 6).
# The only training that reads masks: of the method fully_supervised, which has no CAMs.


rule train_fully_supervised:
    input:
        config=segmenter_file,
        backbone=backbone_files("clip"),
        index=table(INDEX),
        text=segmenter_text,
        masks=table(MASKS),
        archives=DERIVED_MASKS,
    output:
        model=result("segmenter/{method}/model.safetensors"),
        description=result("segmenter/{method}/model.json"),
    log:
        log_file("train_fully_supervised", "method"),
    benchmark:
        benchmark_file("train_fully_supervised", "method")
    wildcard_constraints:
        method=one_of(TAUGHT_BY_MASKS),
    # A mask that is missing is named before anything expensive is computed.
    priority: 1
    conda:
        "../envs/ssr.yaml"
    threads: 8
    resources:
        mem_mb=memory(2000, size=1, kept=LESSON_BYTES * IMAGES["train"]),
        runtime=minutes(1.5, crops, size=1, longest=DAY),
        gpu=1,
        nodes=1,
    params:
        root=CONFIG.data.root,
        classes=list(CONFIG.data.classes),
        backbone=backbone("clip"),
        segmenter=of_method("segmenter", without=("joint", "gamma")),
        seed=seed_of_method,
        work=result("segmenter/{method}/work"),
        indexed=images_of("train"),
        masks=masks_of("train"),
        code=code_hash("workflow_scripts.train_fully_supervised"),
    shell:
        """
        python -m workflow_scripts.train_fully_supervised \
            --index {input.index:q} \
            --root {params.root:q} \
            --classes {params.classes:q} \
            --masks {input.masks:q} \
            --backbone {params.backbone:q} \
            --text {input.text:q} \
            --segmenter {params.segmenter:q} \
            --seed {params.seed} \
            --work {params.work:q} \
            --output {output.model:q} \
            --description {output.description:q} \
            --threads {threads} \
            --nodes {resources.nodes:q} \
            2>&1 | tee {log:q}
        """
