# Images and image-level labels of train → CLIP and DINO trained from scratch. Asked for only where
# the configuration says weights: train.


rule pretrain_clip:
    input:
        index=rules.index_dataset.output.index,
        model=local_files([CONFIG.backbones.clip.model]),
    output:
        weights=result("pretraining/clip.safetensors"),
        description=result("pretraining/clip.json"),
        history=result("pretraining/clip.csv"),
    log:
        log_file("pretrain_clip"),
    benchmark:
        benchmark_file("pretrain_clip")
    conda:
        "../envs/ssr.yaml"
    threads: 1
    resources:
        mem_mb=memory(1400 + stored_squares(), size=1),
        runtime=minutes(1.7, CONFIG.pretraining.clip_steps, size=1, longest=DAY),
        gpu=1,
    params:
        root=CONFIG.data.root,
        classes=list(CONFIG.data.classes),
        text=section("text"),
        model=lambda wildcards: CONFIG.backbones.clip.model,
        pretraining=CONFIG.pretraining.canonical(without=("segments", "dino_steps")),
        seed=CONFIG.seed,
        work=result("pretraining/work_clip"),
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
        index=rules.index_dataset.output.index,
        model=local_files([CONFIG.backbones.dino.model]),
    output:
        weights=result("pretraining/dino.safetensors"),
        description=result("pretraining/dino.json"),
        history=result("pretraining/dino.csv"),
    log:
        log_file("pretrain_dino"),
    benchmark:
        benchmark_file("pretrain_dino")
    conda:
        "../envs/ssr.yaml"
    threads: 1
    resources:
        mem_mb=memory(3200 + stored_squares(), size=1),
        runtime=minutes(2.3, CONFIG.pretraining.dino_steps, size=1, longest=DAY),
        gpu=1,
    params:
        root=CONFIG.data.root,
        model=lambda wildcards: CONFIG.backbones.dino.model,
        pretraining=CONFIG.pretraining.canonical(
            without=("kept_patches", "centre_prior", "clip_steps")
        ),
        seed=CONFIG.seed,
        work=result("pretraining/work_dino"),
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
