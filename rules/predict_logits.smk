# Images and segmenter → logits at the resolution of the patches.


rule predict_logits:
    input:
        backbone=backbone_files("clip"),
        index=table(INDEX),
        model=made("segmenter/{method}/model.safetensors", "segmenter"),
        description=made("segmenter/{method}/model.json", "segmenter"),
    output:
        logits=store("prediction"),
    log:
        log_file("predict_logits", "method", "shard"),
    benchmark:
        benchmark_file("predict_logits", "method", "shard")
    conda:
        "../envs/ssr.yaml"
    threads: 1
    resources:
        mem_mb=memory(1900),
        runtime=minutes(4.9),
        gpu=1,
    params:
        root=CONFIG.data.root,
        prediction=of_method("prediction", without=("foreign",)),
        indexed=images_of("{shard}"),
        code=code_hash("workflow_scripts.predict_logits"),
    shell:
        """
        python -m workflow_scripts.predict_logits \
            --index {input.index:q} \
            --root {params.root:q} \
            --shard {wildcards.shard:q} \
            --model {input.model:q} \
            --description {input.description:q} \
            --prediction {params.prediction:q} \
            --output {output.logits:q} \
            --threads {threads} \
            2>&1 | tee {log:q}
        """
