# Features and initial CAMs of train images → the samples that CMPA learns from.


rule pool_samples:
    input:
        backbone=backbone_files("clip"),
        index=table(INDEX),
        features=stored("features"),
        cams=stored("initial_cam"),
        text=embeddings,
    output:
        samples=result("samples/{method}/{shard}.npz"),
    log:
        log_file("pool_samples", "method", "shard"),
    benchmark:
        benchmark_file("pool_samples", "method", "shard")
    conda:
        "../envs/ssr.yaml"
    threads: 1
    resources:
        mem_mb=memory(1500),
        runtime=minutes(0.3),
        gpu=1,
    params:
        backbone=backbone("clip"),
        prototypes=of_method("prototypes", without=("clusters",)),
        indexed=images_of("{shard}"),
        code=code_hash("workflow_scripts.pool_samples"),
    shell:
        """
        python -m workflow_scripts.pool_samples \
            --index {input.index:q} \
            --shard {wildcards.shard:q} \
            --backbone {params.backbone:q} \
            --prototypes {params.prototypes:q} \
            --features {input.features:q} \
            --cams {input.cams:q} \
            --text {input.text:q} \
            --output {output.samples:q} \
            --threads {threads} \
            2>&1 | tee {log:q}
        """
