# CAMs that another system saved → initial CAMs of the method that bears its name.


rule import_cams:
    input:
        index=table(INDEX),
    output:
        cams=store("initial_cam"),
    log:
        log_file("import_cams", "method", "shard"),
    benchmark:
        benchmark_file("import_cams", "method", "shard")
    wildcard_constraints:
        method=one_of(FOREIGN),
    # Files that can't be used are refused before anything expensive is computed.
    priority: 1
    conda:
        "../envs/ssr.yaml"
    threads: 1
    resources:
        mem_mb=memory(200),
        runtime=minutes(0.1),
    params:
        classes=list(CONFIG.data.classes),
        foreign=foreign_source,
        state=foreign_state,
        indexed=images_of("{shard}"),
        code=code_hash("workflow_scripts.import_cams"),
    shell:
        """
        python -m workflow_scripts.import_cams \
            --index {input.index:q} \
            --shard {wildcards.shard:q} \
            --classes {params.classes:q} \
            --foreign {params.foreign:q} \
            --state {params.state:q} \
            --output {output.cams:q} \
            --threads {threads} \
            2>&1 | tee {log:q}
        """
