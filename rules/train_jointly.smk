# Samples of CMPA, images and what is stored of them, texts → segmenter and heads, trained in one loop
# (Eq. 12), on labels that the heads make as they learn. The heads are part of the model.


rule train_jointly:
    input:
        backbone=backbone_files("clip"),
        index=table(INDEX),
        text=embeddings,
        prototypes=samples_of_method,
        features=stored("features", "train"),
        superpixels=stored("superpixels", "train"),
        threshold=chosen_threshold,
    output:
        model=result("segmenter/{method}/model.safetensors"),
        description=result("segmenter/{method}/model.json"),
    log:
        log_file("train_jointly", "method"),
    benchmark:
        benchmark_file("train_jointly", "method")
    wildcard_constraints:
        method=one_of(JOINT),
    conda:
        "../envs/ssr.yaml"
    threads: 8
    resources:
        mem_mb=memory(3000, size=1, kept=LESSON_BYTES * IMAGES["train"]),
        runtime=minutes(4, crops, size=1, longest=DAY),
        gpu=1,
    params:
        root=CONFIG.data.root,
        classes=list(CONFIG.data.classes),
        backbone=backbone("clip"),
        alignment=of_method("alignment", without=("enabled", "rounds", "stop", "looks")),
        cams=of_method("aligned_cams"),
        refinement=of_method("refinement"),
        labels=of_method("labels", without=("source",)),
        segmenter=of_method("segmenter"),
        seed=seed_of_method,
        work=result("segmenter/{method}/work"),
        indexed=images_of("train"),
        code=code_hash("workflow_scripts.train_jointly"),
    shell:
        """
        python -m workflow_scripts.train_jointly \
            --index {input.index:q} \
            --root {params.root:q} \
            --classes {params.classes:q} \
            --alignment {params.alignment:q} \
            --prototypes {input.prototypes:q} \
            --cams {params.cams:q} \
            --features {input.features:q} \
            --refinement {params.refinement:q} \
            --superpixels {input.superpixels:q} \
            --labels {params.labels:q} \
            --threshold-from {input.threshold:q} \
            --backbone {params.backbone:q} \
            --text {input.text:q} \
            --segmenter {params.segmenter:q} \
            --seed {params.seed} \
            --work {params.work:q} \
            --output {output.model:q} \
            --description {output.description:q} \
            --threads {threads} \
            2>&1 | tee {log:q}
        """
