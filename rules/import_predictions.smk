# Predictions that another system saved → those of the method that bears its name.


rule import_predictions:
    input:
        index=table(INDEX),
    output:
        predictions=store_in(IMPORTED),
    log:
        log_file("import_predictions", "method", "shard"),
    benchmark:
        benchmark_file("import_predictions", "method", "shard")
    wildcard_constraints:
        method=one_of(PREDICTED_ELSEWHERE),
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
        code=code_hash("workflow_scripts.import_predictions"),
    shell:
        """
        python -m workflow_scripts.import_predictions \
            --index {input.index:q} \
            --shard {wildcards.shard:q} \
            --classes {params.classes:q} \
            --foreign {params.foreign:q} \
            --state {params.state:q} \
            --output {output.predictions:q} \
            --threads {threads} \
            2>&1 | tee {log:q}
        """
