# A tag of pretrained weights → their files in the library's cache, and a marker.
# A local rule: on a cluster it runs where Snakemake does, and the jobs read the cache only.


rule fetch_weights:
    output:
        marker=result("weights/{method}/{network}.json"),
    log:
        log_file("fetch_weights", "method", "network"),
    benchmark:
        benchmark_file("fetch_weights", "method", "network")
    conda:
        "../envs/ssr.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000, size=1),
        runtime=minutes(1200, 1, size=1),
    params:
        backbone=lambda wildcards: backbone(wildcards.network)(wildcards),
        code=code_hash("workflow_scripts.fetch_weights"),
    shell:
        """
        python -m workflow_scripts.fetch_weights \
            --network {wildcards.network:q} \
            --backbone {params.backbone:q} \
            --output {output.marker:q} \
            --threads {threads} \
            2>&1 | tee {log:q}
        """
