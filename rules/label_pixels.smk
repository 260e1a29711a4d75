# Refined CAMs → pseudo-labels as palette PNGs; the threshold is a setting, or comes from tune.


rule label_pixels:
    input:
        index=table(INDEX),
        cams=stored("refined_cam"),
        threshold=chosen_threshold,
    output:
        labels=store("pseudo_label"),
    log:
        log_file("label_pixels", "method", "shard"),
    benchmark:
        benchmark_file("label_pixels", "method", "shard")
    conda:
        "../envs/ssr.yaml"
    threads: 1
    resources:
        mem_mb=memory(600),
        runtime=minutes(1.1),
    params:
        root=CONFIG.data.root,
        labels=of_method("labels", without=("source",)),
        indexed=images_of("{shard}"),
        code=code_hash("workflow_scripts.label_pixels"),
    shell:
        """
        python -m workflow_scripts.label_pixels \
            --index {input.index:q} \
            --root {params.root:q} \
            --shard {wildcards.shard:q} \
            --labels {params.labels:q} \
            --cams {input.cams:q} \
            --threshold-from {input.threshold:q} \
            --output {output.labels:q} \
            --threads {threads} \
            2>&1 | tee {log:q}
        """
