# Images → SLIC superpixels, their mean Lab colours, and K-means regions of those (Eq. 8).


rule segment_superpixels:
    input:
        index=table(INDEX),
    output:
        superpixels=store("superpixels"),
    log:
        log_file("segment_superpixels", "method", "shard"),
    benchmark:
        benchmark_file("segment_superpixels", "method", "shard")
    conda:
        "../envs/ssr.yaml"
    threads: 1
    resources:
        mem_mb=memory(200),
        runtime=minutes(0.2),
    params:
        root=CONFIG.data.root,
        images=of_method("images"),
        superpixels=of_method("superpixels"),
        seed=CONFIG.seed,
        indexed=images_of("{shard}"),
        code=code_hash("workflow_scripts.segment_superpixels"),
    shell:
        """
        python -m workflow_scripts.segment_superpixels \
            --index {input.index:q} \
            --root {params.root:q} \
            --shard {wildcards.shard:q} \
            --images {params.images:q} \
            --superpixels {params.superpixels:q} \
            --seed {params.seed} \
            --output {output.superpixels:q} \
            --threads {threads} \
            2>&1 | tee {log:q}
        """
