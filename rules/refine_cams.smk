# CAMs, attention and colour regions → refined CAMs (SGC, Eq. 7-11).


rule refine_cams:
    input:
        features=stored("features"),
        superpixels=stored("superpixels"),
        cams=cams_of_method,
    output:
        cams=store("refined_cam"),
    log:
        log_file("refine_cams", "method", "shard"),
    benchmark:
        benchmark_file("refine_cams", "method", "shard")
    conda:
        "../envs/ssr.yaml"
    threads: 1
    resources:
        mem_mb=memory(600),
        runtime=minutes(0.3),
    params:
        refinement=of_method("refinement"),
        code=code_hash("workflow_scripts.refine_cams"),
    shell:
        """
        python -m workflow_scripts.refine_cams \
            --refinement {params.refinement:q} \
            --features {input.features:q} \
            --superpixels {input.superpixels:q} \
            --cams {input.cams:q} \
            --output {output.cams:q} \
            --threads {threads} \
            2>&1 | tee {log:q}
        """
