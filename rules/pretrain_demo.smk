# Nothing but the procedural world → the demo's CLIP and DINO. Hours on two cores; the result is
# shipped in backbones/, so no other rule asks for it: docs/demo_backbones.md has the recipe.


rule pretrain_demo_clip:
    input:
        model="backbones/demo_clip.json",
    output:
        weights=result("pretraining/demo_clip.safetensors"),
    log:
        log_file("pretrain_demo_clip"),
    benchmark:
        benchmark_file("pretrain_demo_clip")
    conda:
        "../envs/ssr.yaml"
    threads: 1
    resources:
        mem_mb=memory(5000, size=1),
        runtime=DAY,
    params:
        work=result("pretraining/work_demo_clip"),
    shell:
        """
        python -m workflow_scripts.pretrain_demo_clip \
            --model {input.model:q} \
            --work {params.work:q} \
            --seed 0 \
            --output {output.weights:q} \
            --threads {threads} \
            2>&1 | tee {log:q}
        """


rule pretrain_demo_dino:
    input:
        model="backbones/demo_dino.json",
    output:
        weights=result("pretraining/demo_dino.safetensors"),
    log:
        log_file("pretrain_demo_dino"),
    benchmark:
        benchmark_file("pretrain_demo_dino")
    conda:
        "../envs/ssr.yaml"
    threads: 1
    resources:
        mem_mb=memory(5000, size=1),
        runtime=DAY,
    params:
        work=result("pretraining/work_demo_dino"),
    shell:
        """
        python -m workflow_scripts.pretrain_demo_dino \
            --model {input.model:q} \
            --work {params.work:q} \
            --seed 0 \
            --output {output.weights:q} \
            --threads {threads} \
            2>&1 | tee {log:q}
        """


rule pretrain_demo:
    input:
        rules.pretrain_demo_clip.output,
        rules.pretrain_demo_dino.output,
