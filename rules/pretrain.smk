# Images and image-level labels of train → CLIP and DINO trained from scratch. Asked for only where
# the configuration says weights: train.


rule pretrain_clip:
    input:
        index=table(INDEX),
        model=lambda wildcards: local_files([model_of("clip")(wildcards)]),
    output:
        weights=result("pretraining/{method}/clip.safetensors"),
        description=result("pretraining/{method}/clip.json"),
        history=result("pretraining/{method}/clip.csv"),
    log:
        log_file("pretrain_clip", "method"),
    benchmark:
        benchmark_file("pretrain_clip", "method")
    conda:
        "../envs/ssr.yaml"
    threads: 1
    resources:
        mem_mb=memory(stored_squares(1400), size=1),
        runtime=minutes(1.7, pretraining_steps("clip"), size=1, longest=DAY),
        gpu=1,
    params:
        root=CONFIG.data.root,
        classes=list(CONFIG.data.classes),
        text=of_method("text"),
        model=model_of("clip"),
        pretraining=trained_with("clip"),
        seed=CONFIG.seed,
        work=result("pretraining/{method}/work_clip"),
        indexed=images_of("train"),
        code=code_hash("workflow_scripts.pretrain_clip"),
    shell:
        """
        python -m workflow_scripts.pretrain_clip \
            --index {input.index:q} \
            --root {params.root:q} \
            --classes {params.classes:q} \
            --text {params.text:q} \
            --model {params.model:q} \
            --pretraining {params.pretraining:q} \
            --seed {params.seed} \
            --work {params.work:q} \
            --output {output.weights:q} \
            --threads {threads} \
            2>&1 | tee {log:q}
        """


rule pretrain_dino:
    input:
        index=table(INDEX),
        model=lambda wildcards: local_files([model_of("dino")(wildcards)]),
    output:
        weights=result("pretraining/{method}/dino.safetensors"),
        description=result("pretraining/{method}/dino.json"),
        history=result("pretraining/{method}/dino.csv"),
    log:
        log_file("pretrain_dino", "method"),
    benchmark:
        benchmark_file("pretrain_dino", "method")
    conda:
        "../envs/ssr.yaml"
    threads: 1
    resources:
        mem_mb=memory(stored_squares(3200), size=1),
        runtime=minutes(2.3, pretraining_steps("dino"), size=1, longest=DAY),
        gpu=1,
    params:
        root=CONFIG.data.root,
        model=model_of("dino"),
        pretraining=trained_with("dino"),
        seed=CONFIG.seed,
        work=result("pretraining/{method}/work_dino"),
        indexed=images_of("train"),
        code=code_hash("workflow_scripts.pretrain_dino"),
    shell:
        """
        python -m workflow_scripts.pretrain_dino \
            --index {input.index:q} \
            --root {params.root:q} \
            --model {params.model:q} \
            --pretraining {params.pretraining:q} \
            --seed {params.seed} \
            --work {params.work:q} \
            --output {output.weights:q} \
            --threads {threads} \
            2>&1 | tee {log:q}
        """
