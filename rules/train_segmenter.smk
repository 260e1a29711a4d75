# Images, pseudo-labels and texts → segmenter (mmsegmentation), resumed from its newest checkpoint.


rule train_segmenter:
    input:
        config=segmenter_file,
        backbone=backbone_files("clip"),
        index=table(INDEX),
        text=segmenter_text,
        labels=stored("pseudo_label", "train"),
    output:
        model=result("segmenter/{method}/model.safetensors"),
        description=result("segmenter/{method}/model.json"),
    log:
        log_file("train_segmenter", "method"),
    benchmark:
        benchmark_file("train_segmenter", "method")
    wildcard_constraints:
        method=one_of(name for name in METHODS if name not in TAUGHT_BY_MASKS + JOINT),
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
        code=code_hash("workflow_scripts.train_segmenter"),
    shell:
        """
        python -m workflow_scripts.train_segmenter \
            --index {input.index:q} \
            --root {params.root:q} \
            --classes {params.classes:q} \
            --labels {input.labels:q} \
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
