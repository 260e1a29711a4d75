# Local weights of CLIP and DINO → their settings, checked: beside the index, before anything long.


rule check_backbones:
    input:
        backbone=backbone_files("clip", "dino"),
    output:
        checked=result("index/backbones/{method}.json"),
    log:
        log_file("check_backbones", "method"),
    benchmark:
        benchmark_file("check_backbones", "method")
    # Whatever one of the methods wants is refused before another's is computed.
    priority: 1
    conda:
        "../envs/ssr.yaml"
    threads: 1
    resources:
        mem_mb=memory(1700, size=1),
        runtime=minutes(60, 1, size=1),
    params:
        backbones=backbones,
        code=code_hash("workflow_scripts.check_backbones"),
    shell:
        """
        python -m workflow_scripts.check_backbones \
            --backbones {params.backbones:q} \
            --output {output.checked:q} \
            --threads {threads} \
            2>&1 | tee {log:q}
        """
