# Nothing but the procedural world → the demo's CLIP and DINO. Hours on two cores; the result is
# shipped in backbones/, so no other rule asks for it: docs/demo_backbones.md has the recipe.


rule pretrain_demo_backbone:
    input:
        model="backbones/demo_{network}.json",
    output:
        weights=result("pretraining/demo_{network}.safetensors"),
    log:
        log_file("pretrain_demo_backbone", "network"),
    benchmark:
        benchmark_file("pretrain_demo_backbone", "network")
    conda:
        "../envs/ssr.yaml"
    threads: 1
    resources:
        mem_mb=memory(5000, size=1),
        runtime=DAY,
    params:
        work=result("pretraining/work_demo_{network}"),
    shell:
        """
        python -m workflow_scripts.pretrain_demo_backbone \
            --network {wildcards.network:q} \
            --model {input.model:q} \
            --work {params.work:q} \
            --seed 0 \
            --output {output.weights:q} \
            --threads {threads} \
            2>&1 | tee {log:q}
        """


rule pretrain_demo:
    input:
        expand(rules.pretrain_demo_backbone.output.weights, network=["clip", "dino"]),
