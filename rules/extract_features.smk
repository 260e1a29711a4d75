# Images → tokens entering CLIP's last block, attention of CLIP and DINO, pooled features.
# One pass per image; everything behind is computed from these without the backbones.


rule extract_features:
    input:
        backbone=backbone_files("clip", "dino"),
        checked=made("index/backbones/{method}.json", "backbones"),
        index=table(INDEX),
    output:
        features=store("features"),
    log:
        log_file("extract_features", "method", "shard"),
    benchmark:
        benchmark_file("extract_features", "method", "shard")
    conda:
        "../envs/ssr.yaml"
    threads: 1
    resources:
        mem_mb=memory(1700),
        runtime=minutes(2.5),
        gpu=1,
    params:
        root=CONFIG.data.root,
        backbones=backbones,
        images=of_method("images"),
        features=of_method("features"),
        indexed=images_of("{shard}"),
        code=code_hash("workflow_scripts.extract_features"),
    shell:
        """
        python -m workflow_scripts.extract_features \
            --index {input.index:q} \
            --root {params.root:q} \
            --shard {wildcards.shard:q} \
            --backbones {params.backbones:q} \
            --images {params.images:q} \
            --features {params.features:q} \
            --output {output.features:q} \
            --threads {threads} \
            2>&1 | tee {log:q}
        """
