# Logits and images → labels after a dense CRF, as palette PNGs.


rule refine_predictions:
    input:
        index=table(INDEX),
        logits=stored("prediction"),
    output:
        predictions=store("prediction_crf"),
    log:
        log_file("refine_predictions", "method", "shard"),
    benchmark:
        benchmark_file("refine_predictions", "method", "shard")
    conda:
        "../envs/ssr.yaml"
    threads: 8
    resources:
        mem_mb=memory(600),
        runtime=minutes(1.1),
    params:
        root=CONFIG.data.root,
        crf=of_method("crf"),
        indexed=images_of("{shard}"),
        code=code_hash("workflow_scripts.refine_predictions"),
    shell:
        """
        python -m workflow_scripts.refine_predictions \
            --index {input.index:q} \
            --root {params.root:q} \
            --shard {wildcards.shard:q} \
            --crf {params.crf:q} \
            --logits {input.logits:q} \
            --output {output.predictions:q} \
            --threads {threads} \
            2>&1 | tee {log:q}
        """
