# Images → SLIC superpixels, their mean Lab colours, and K-means regions of those (Eq. 8).


rule segment_superpixels:
    input:
        index=rules.index_dataset.output.index,
    output:
        superpixels=result("superpixels/{shard}.zarr.zip"),
    log:
        log_file("segment_superpixels", "shard"),
    benchmark:
        benchmark_file("segment_superpixels", "shard")
    conda:
        "../envs/ssr.yaml"
    threads: 1
    resources:
        mem_mb=memory(200),
        runtime=minutes(0.2),
    params:
        root=CONFIG.data.root,
        images=section("images"),
        superpixels=section("superpixels"),
        seed=CONFIG.seed,
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
