# Features and text → class activation maps, before and after the alignment.


rule activate_initial_cams:
    input:
        backbone=backbone_files("clip"),
        index=table(INDEX),
        features=stored("features"),
        text=embeddings,
    output:
        cams=store("initial_cam"),
    log:
        log_file("activate_initial_cams", "method", "shard"),
    benchmark:
        benchmark_file("activate_initial_cams", "method", "shard")
    wildcard_constraints:
        method=one_of(name for name in METHODS if name not in FOREIGN + TAUGHT),
    conda:
        "../envs/ssr.yaml"
    threads: 1
    resources:
        mem_mb=memory(1600),
        runtime=minutes(1.0),
        gpu=1,
    params:
        backbone=backbone("clip"),
        cams=of_method("cams", without=("foreign", "segmenter")),
        indexed=images_of("{shard}"),
        code=code_hash("workflow_scripts.activate_cams"),
    shell:
        """
        python -m workflow_scripts.activate_cams \
            --index {input.index:q} \
            --shard {wildcards.shard:q} \
            --backbone {params.backbone:q} \
            --cams {params.cams:q} \
            --features {input.features:q} \
            --text {input.text:q} \
            --output {output.cams:q} \
            --threads {threads} \
            2>&1 | tee {log:q}
        """


rule activate_aligned_cams:
    input:
        backbone=backbone_files("clip"),
        index=table(INDEX),
        features=stored("features"),
        text=embeddings,
        alignment=lambda wildcards: used_heads(wildcards.method),
    output:
        cams=store("aligned_cam"),
    log:
        log_file("activate_aligned_cams", "method", "shard"),
    benchmark:
        benchmark_file("activate_aligned_cams", "method", "shard")
    conda:
        "../envs/ssr.yaml"
    threads: 1
    resources:
        mem_mb=memory(1600),
        runtime=minutes(0.9),
        gpu=1,
    params:
        backbone=backbone("clip"),
        cams=of_method("aligned_cams"),
        indexed=images_of("{shard}"),
        code=code_hash("workflow_scripts.activate_cams"),
    shell:
        """
        python -m workflow_scripts.activate_cams \
            --index {input.index:q} \
            --shard {wildcards.shard:q} \
            --backbone {params.backbone:q} \
            --cams {params.cams:q} \
            --features {input.features:q} \
            --text {input.text:q} \
            --alignment {input.alignment:q} \
            --output {output.cams:q} \
            --threads {threads} \
            2>&1 | tee {log:q}
        """
