# Masks → a table of where they lie, checked; of its own, so that no training rule reaches a mask,
# and that another mask makes nothing anew but what is held against masks.


rule index_masks:
    input:
        index=rules.index_dataset.output.index,
        masks=DERIVED_MASKS,
    output:
        masks=result(MASKS),
    log:
        log_file("index_masks"),
    benchmark:
        benchmark_file("index_masks")
    conda:
        "../envs/ssr.yaml"
    threads: 8
    resources:
        mem_mb=memory(300, kept=INDEX_BYTES * sum(IMAGES.values())),
        runtime=minutes(0.03, sum(IMAGES.values()), longest=DAY),
    params:
        data=INDEXED,
        derived=result("annotations"),
        state=STATES[MASKS],
        code=code_hash("workflow_scripts.index_masks"),
    shell:
        """
        python -m workflow_scripts.index_masks \
            --data {params.data:q} \
            --index {input.index:q} \
            --derived {params.derived:q} \
            --state {params.state:q} \
            --output {output.masks:q} \
            --threads {threads} \
            2>&1 | tee {log:q}
        """
