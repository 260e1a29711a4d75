# Tags of pretrained weights → their files in the library's cache, and a marker for each.
# A local rule: on a cluster it runs where Snakemake does, and the jobs read the cache only.


rule fetch_weights:
    output:
        markers=weight_markers("clip", "dino"),
    log:
        log_file("fetch_weights"),
    benchmark:
        benchmark_file("fetch_weights")
    conda:
        "../envs/ssr.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000, size=1),
        runtime=minutes(1200, 1, size=1),
    params:
        backbones=section("backbones"),
        code=code_hash("workflow_scripts.fetch_weights"),
    shell:
        """
        python -m workflow_scripts.fetch_weights \
            --backbones {params.backbones:q} \
            --output {output.markers:q} \
            --threads {threads} \
            2>&1 | tee {log:q}
        """
