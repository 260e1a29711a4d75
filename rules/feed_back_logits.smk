# Logits of a segmenter → initial CAMs of the method that it teaches: its next round.


rule feed_back_logits:
    input:
        index=table(INDEX),
        logits=logits_of_teacher,
    output:
        cams=store("initial_cam"),
    log:
        log_file("feed_back_logits", "method", "shard"),
    benchmark:
        benchmark_file("feed_back_logits", "method", "shard")
    wildcard_constraints:
        method=one_of(TAUGHT),
    conda:
        "../envs/ssr.yaml"
    threads: 1
    resources:
        mem_mb=memory(200),
        runtime=minutes(0.1),
    params:
        indexed=images_of("{shard}"),
        code=code_hash("workflow_scripts.feed_back_logits"),
    shell:
        """
        python -m workflow_scripts.feed_back_logits \
            --index {input.index:q} \
            --shard {wildcards.shard:q} \
            --logits {input.logits:q} \
            --output {output.cams:q} \
            --threads {threads} \
            2>&1 | tee {log:q}
        """
