# Pooled features and texts → prototypes and the heads that align them (CMPA, Eq. 3-6).
# The prototypes are renewed at the start of every round, from the heads of the round before.


def last_alignment(method):
    """The heads after the last round."""
    rounds = resolved(method).alignment.rounds
    return result(f"alignment/{owner_of(method, HEADS)}/{rounds}.safetensors")


def previous_alignment(wildcards):
    """The heads of the round before; none before the first."""
    before = int(wildcards.round) - 1
    return result(f"alignment/{wildcards.method}/{before}.safetensors") if before else []


def in_first_round(stores):
    """`stores`, but nothing in later rounds: they take the pooled samples from the first."""
    return lambda wildcards: stores if wildcards.round == "1" else []


def first_prototypes(wildcards):
    """Where later rounds find the samples."""
    later = wildcards.round != "1"
    return result(f"prototypes/{wildcards.method}/1.npz") if later else []


rule cluster_prototypes:
    input:
        backbone=backbone_files("clip"),
        index=rules.index_dataset.output.index,
        text=rules.encode_text.output.text,
        features=in_first_round(shards("features/{shard}.zarr.zip", ["train"])),
        cams=in_first_round(shards("cams/initial/{shard}.zarr.zip", ["train"])),
        samples=first_prototypes,
        previous=previous_alignment,
    output:
        prototypes=result("prototypes/{method}/{round}.npz"),
    params:
        backbone=section("backbones", "clip"),
        prototypes=of_method("prototypes"),
        alignment=of_method("alignment", without=("enabled", "rounds")),
        seed=CONFIG.seed,
        code=code_hash("workflow_scripts.cluster_prototypes"),
    log:
        log_file("cluster_prototypes", "method", "round"),
    benchmark:
        benchmark_file("cluster_prototypes", "method", "round")
    threads: 2
    resources:
        mem_mb=4000,
        runtime=60,
    conda:
        "../envs/ssr.yaml"
    shell:
        """
        python -m workflow_scripts.cluster_prototypes \
            --index {input.index:q} \
            --backbone {params.backbone:q} \
            --prototypes {params.prototypes:q} \
            --alignment {params.alignment:q} \
            --seed {params.seed} \
            --text {input.text:q} \
            --features {input.features:q} \
            --cams {input.cams:q} \
            --samples {input.samples:q} \
            --previous {input.previous:q} \
            --output {output.prototypes:q} \
            --threads {threads} \
            2>&1 | tee {log:q}
        """


rule align_prototypes:
    input:
        prototypes=rules.cluster_prototypes.output.prototypes,
        previous=previous_alignment,
    output:
        heads=result("alignment/{method}/{round}.safetensors"),
    params:
        alignment=of_method("alignment", without=("enabled", "rounds")),
        seed=CONFIG.seed,
        work=result("alignment/{method}/work"),
        code=code_hash("workflow_scripts.align_prototypes"),
    log:
        log_file("align_prototypes", "method", "round"),
    benchmark:
        benchmark_file("align_prototypes", "method", "round")
    threads: 2
    resources:
        mem_mb=4000,
        runtime=720,
    conda:
        "../envs/ssr.yaml"
    shell:
        """
        python -m workflow_scripts.align_prototypes \
            --alignment {params.alignment:q} \
            --seed {params.seed} \
            --prototypes {input.prototypes:q} \
            --previous {input.previous:q} \
            --work {params.work:q} \
            --output {output.heads:q} \
            --threads {threads} \
            2>&1 | tee {log:q}
        """
