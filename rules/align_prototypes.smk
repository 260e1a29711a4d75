# Samples and texts → prototypes and the heads that align them (CMPA, Eq. 3-6).
# The prototypes are renewed at the start of every round, from the heads of the round before.
# With alignment.loss: image_labels the heads learn from the patches of train images instead, with
# prototypes.pooling: after from patches that are pooled behind the image head. With
# alignment.trains: last_block no heads are trained, but CLIP's last block, on what is pooled behind it.


rule cluster_prototypes:
    input:
        backbone=backbone_files("clip"),
        index=table(INDEX),
        text=embeddings,
        features=of_pooling(stored("features", "train")),
        cams=of_pooling(stored("initial_cam", "train")),
        samples=samples,
        previous=previous_alignment,
    output:
        prototypes=result("prototypes/{method}/{round}.npz"),
    log:
        log_file("cluster_prototypes", "method", "round"),
    benchmark:
        benchmark_file("cluster_prototypes", "method", "round")
    conda:
        "../envs/ssr.yaml"
    threads: 2
    resources:
        mem_mb=memory(1500, kept=CLUSTER_BYTES * IMAGES["train"]),
        runtime=minutes(0.3, pooled_images),
        gpu=1,
    params:
        backbone=backbone("clip"),
        prototypes=of_method("prototypes"),
        alignment=of_method("alignment", without=("enabled", "rounds", "stop", "looks")),
        seed=seed_of_method,
        indexed=images_of("train"),
        code=code_hash("workflow_scripts.cluster_prototypes"),
    shell:
        """
        python -m workflow_scripts.cluster_prototypes \
            --index {input.index:q} \
            --backbone {params.backbone:q} \
            --prototypes {params.prototypes:q} \
            --alignment {params.alignment:q} \
            --seed {params.seed} \
            --text {input.text:q} \
            --features {input.features:q} \
            --cams {input.cams:q} \
            --samples {input.samples:q} \
            --previous {input.previous:q} \
            --output {output.prototypes:q} \
            --threads {threads} \
            2>&1 | tee {log:q}
        """


rule align_prototypes:
    input:
        prototypes=rules.cluster_prototypes.output.prototypes,
        previous=previous_alignment,
        index=of_patches(lambda _: table(INDEX)),
        features=of_patches(stored("features", "train")),
        cams=of_pooling(stored("initial_cam", "train")),
        backbone=of_patches(backbone_files("clip")),
    output:
        heads=result("alignment/{method}/{round}.safetensors"),
    log:
        log_file("align_prototypes", "method", "round"),
    benchmark:
        benchmark_file("align_prototypes", "method", "round")
    conda:
        "../envs/ssr.yaml"
    threads: 2
    resources:
        mem_mb=memory(alignment_memory, size=1, kept=SAMPLE_BYTES * IMAGES["train"]),
        runtime=minutes(0.001, alignment_samples, size=1, longest=DAY),
    params:
        backbone=of_patches(backbone("clip")),
        pooling=of_pooling(of_method("prototypes")),
        alignment=training_of_heads,
        seed=seed_of_method,
        work=result("alignment/{method}/work"),
        indexed=of_patches(images_of("train")),
        code=code_hash("workflow_scripts.align_prototypes"),
    shell:
        """
        python -m workflow_scripts.align_prototypes \
            --alignment {params.alignment:q} \
            --seed {params.seed} \
            --prototypes {input.prototypes:q} \
            --previous {input.previous:q} \
            --index {input.index:q} \
            --features {input.features:q} \
            --backbone {params.backbone:q} \
            --pooling {params.pooling:q} \
            --cams {input.cams:q} \
            --work {params.work:q} \
            --output {output.heads:q} \
            --threads {threads} \
            2>&1 | tee {log:q}
        """
