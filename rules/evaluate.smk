# CAMs, pseudo-labels, logits and predictions, held against the masks.
# Only these rules read masks, and the training of the method fully_supervised. Thresholds, and with
# `alignment.stop: tune` the heads of CMPA, are chosen on the tuning split, never on the reported
# one, unless `evaluation.protocol` says so.


rule choose_heads:
    input:
        backbone=backbone_files("clip"),
        index=table(INDEX),
        masks=table(MASKS),
        archives=DERIVED_MASKS,
        features=stored("features", "tune"),
        text=embeddings,
        rounds=lambda wildcards: all_rounds(wildcards.method),
    output:
        heads=result("alignment/{method}/chosen.safetensors"),
        seen=result("alignment/{method}/chosen.csv"),
    log:
        log_file("choose_heads", "method"),
    benchmark:
        benchmark_file("choose_heads", "method")
    conda:
        "../envs/ssr.yaml"
    threads: 1
    resources:
        mem_mb=memory(1600),
        runtime=minutes(0.9, activations_of_tune, longest=DAY),
        gpu=1,
    params:
        root=CONFIG.data.root,
        classes=list(CONFIG.data.classes),
        backbone=backbone("clip"),
        cams=of_method("aligned_cams"),
        indexed=images_of("tune"),
        masks=masks_of("tune"),
        code=code_hash("workflow_scripts.choose_heads"),
    shell:
        """
        python -m workflow_scripts.choose_heads \
            --index {input.index:q} \
            --masks {input.masks:q} \
            --root {params.root:q} \
            --classes {params.classes:q} \
            --backbone {params.backbone:q} \
            --cams {params.cams:q} \
            --features {input.features:q} \
            --text {input.text:q} \
            --rounds {input.rounds:q} \
            --output {output.heads:q} \
            --seen {output.seen:q} \
            --threads {threads} \
            2>&1 | tee {log:q}
        """


rule choose_threshold:
    input:
        index=table(INDEX),
        masks=table(MASKS),
        archives=DERIVED_MASKS,
        cams=lambda wildcards: shards(wildcards.cam_stage, ["tune"], wildcards.method),
    output:
        evaluation=result("evaluation/{cam_stage}/{method}/tune.json"),
        images=(
            [result("evaluation/{cam_stage}/{method}/tune.images.parquet")]
            if CONFIG.evaluation.cam_split == "tune"
            else []
        ),
    log:
        log_file("choose_threshold", "cam_stage", "method"),
    benchmark:
        benchmark_file("choose_threshold", "cam_stage", "method")
    conda:
        "../envs/ssr.yaml"
    threads: 1
    resources:
        mem_mb=memory(200),
        runtime=minutes(0.03, IMAGES["tune"]),
    params:
        root=CONFIG.data.root,
        classes=list(CONFIG.data.classes),
        indexed=images_of("tune"),
        masks=masks_of("tune"),
        code=code_hash("workflow_scripts.evaluate_cams"),
    shell:
        """
        python -m workflow_scripts.evaluate_cams \
            --stage {wildcards.cam_stage:q} \
            --split tune \
            --index {input.index:q} \
            --masks {input.masks:q} \
            --root {params.root:q} \
            --classes {params.classes:q} \
            --cams {input.cams:q} \
            --output {output.evaluation:q} \
            --images {output.images:q} \
            --threads {threads} \
            2>&1 | tee {log:q}
        """


rule evaluate_cams:
    input:
        index=table(INDEX),
        masks=table(MASKS),
        archives=DERIVED_MASKS,
        cams=lambda wildcards: shards(
            wildcards.cam_stage, [wildcards.split], wildcards.method
        ),
        threshold=(
            rules.choose_threshold.output.evaluation
            if CONFIG.evaluation.protocol == "held_out"
            else []
        ),
        only=cam_list(CONFIG) or [],
    output:
        evaluation=result("evaluation/{cam_stage}/{method}/{split}.json"),
        images=result("evaluation/{cam_stage}/{method}/{split}.images.parquet"),
    log:
        log_file("evaluate_cams", "cam_stage", "method", "split"),
    benchmark:
        benchmark_file("evaluate_cams", "cam_stage", "method", "split")
    wildcard_constraints:
        split="train|val",
    conda:
        "../envs/ssr.yaml"
    threads: 1
    resources:
        mem_mb=memory(200),
        runtime=minutes(0.03, images_of_split),
    params:
        root=CONFIG.data.root,
        classes=list(CONFIG.data.classes),
        protocol=CONFIG.evaluation.protocol,
        indexed=images_of("{split}"),
        masks=masks_of("{split}"),
        code=code_hash("workflow_scripts.evaluate_cams"),
    shell:
        """
        python -m workflow_scripts.evaluate_cams \
            --stage {wildcards.cam_stage:q} \
            --split {wildcards.split:q} \
            --protocol {params.protocol:q} \
            --index {input.index:q} \
            --masks {input.masks:q} \
            --root {params.root:q} \
            --classes {params.classes:q} \
            --cams {input.cams:q} \
            --only {input.only:q} \
            --threshold-from {input.threshold:q} \
            --output {output.evaluation:q} \
            --images {output.images:q} \
            --threads {threads} \
            2>&1 | tee {log:q}
        """


rule evaluate_labels:
    input:
        index=table(INDEX),
        masks=table(MASKS),
        archives=DERIVED_MASKS,
        threshold=chosen_threshold,
        labels=lambda wildcards: shards(
            "pseudo_label", [wildcards.split], wildcards.method
        ),
        only=cam_list(CONFIG) or [],
    output:
        evaluation=result("evaluation/pseudo_label/{method}/{split}.json"),
        images=result("evaluation/pseudo_label/{method}/{split}.images.parquet"),
    log:
        log_file("evaluate_labels", "method", "split"),
    benchmark:
        benchmark_file("evaluate_labels", "method", "split")
    conda:
        "../envs/ssr.yaml"
    threads: 1
    resources:
        mem_mb=memory(200),
        runtime=minutes(0.03, images_of_split),
    params:
        root=CONFIG.data.root,
        classes=list(CONFIG.data.classes),
        labels=of_method("labels", without=("source",)),
        indexed=images_of("{split}"),
        masks=masks_of("{split}"),
        code=code_hash("workflow_scripts.evaluate_labels"),
    shell:
        """
        python -m workflow_scripts.evaluate_labels \
            --stage pseudo_label \
            --split {wildcards.split:q} \
            --index {input.index:q} \
            --masks {input.masks:q} \
            --root {params.root:q} \
            --classes {params.classes:q} \
            --labels {params.labels:q} \
            --threshold-from {input.threshold:q} \
            --pngs {input.labels:q} \
            --only {input.only:q} \
            --output {output.evaluation:q} \
            --images {output.images:q} \
            --threads {threads} \
            2>&1 | tee {log:q}
        """


rule evaluate_logits:
    input:
        index=table(INDEX),
        masks=table(MASKS),
        archives=DERIVED_MASKS,
        logits=lambda wildcards: shards(
            "prediction", [wildcards.split], wildcards.method
        ),
    output:
        evaluation=result("evaluation/prediction/{method}/{split}.json"),
        images=result("evaluation/prediction/{method}/{split}.images.parquet"),
    log:
        log_file("evaluate_logits", "method", "split"),
    benchmark:
        benchmark_file("evaluate_logits", "method", "split")
    wildcard_constraints:
        method=one_of(name for name in METHODS if name not in PREDICTED_ELSEWHERE),
    conda:
        "../envs/ssr.yaml"
    threads: 1
    resources:
        mem_mb=memory(200),
        runtime=minutes(0.03, images_of_split),
    params:
        root=CONFIG.data.root,
        classes=list(CONFIG.data.classes),
        prediction=of_method("prediction", without=("foreign",)),
        indexed=images_of("{split}"),
        masks=masks_of("{split}"),
        code=code_hash("workflow_scripts.evaluate_logits"),
    shell:
        """
        python -m workflow_scripts.evaluate_logits \
            --stage prediction \
            --split {wildcards.split:q} \
            --index {input.index:q} \
            --masks {input.masks:q} \
            --root {params.root:q} \
            --classes {params.classes:q} \
            --prediction {params.prediction:q} \
            --logits {input.logits:q} \
            --output {output.evaluation:q} \
            --images {output.images:q} \
            --threads {threads} \
            2>&1 | tee {log:q}
        """


rule evaluate_foreign:
    input:
        index=table(INDEX),
        masks=table(MASKS),
        archives=DERIVED_MASKS,
        predictions=lambda wildcards: shards(
            "prediction", [wildcards.split], wildcards.method
        ),
    output:
        evaluation=result("evaluation/prediction/{method}/{split}.json"),
        images=result("evaluation/prediction/{method}/{split}.images.parquet"),
    log:
        log_file("evaluate_foreign", "method", "split"),
    benchmark:
        benchmark_file("evaluate_foreign", "method", "split")
    wildcard_constraints:
        method=one_of(PREDICTED_ELSEWHERE),
    conda:
        "../envs/ssr.yaml"
    threads: 1
    resources:
        mem_mb=memory(200),
        runtime=minutes(0.03, images_of_split),
    params:
        root=CONFIG.data.root,
        classes=list(CONFIG.data.classes),
        indexed=images_of("{split}"),
        masks=masks_of("{split}"),
        code=code_hash("workflow_scripts.evaluate_labels"),
    shell:
        """
        python -m workflow_scripts.evaluate_labels \
            --stage prediction \
            --split {wildcards.split:q} \
            --index {input.index:q} \
            --masks {input.masks:q} \
            --root {params.root:q} \
            --classes {params.classes:q} \
            --pngs {input.predictions:q} \
            --output {output.evaluation:q} \
            --images {output.images:q} \
            --threads {threads} \
            2>&1 | tee {log:q}
        """


rule evaluate_predictions:
    input:
        index=table(INDEX),
        masks=table(MASKS),
        archives=DERIVED_MASKS,
        predictions=lambda wildcards: shards(
            "prediction_crf", [wildcards.split], wildcards.method
        ),
    output:
        evaluation=result("evaluation/prediction_crf/{method}/{split}.json"),
        images=result("evaluation/prediction_crf/{method}/{split}.images.parquet"),
    log:
        log_file("evaluate_predictions", "method", "split"),
    benchmark:
        benchmark_file("evaluate_predictions", "method", "split")
    conda:
        "../envs/ssr.yaml"
    threads: 1
    resources:
        mem_mb=memory(200),
        runtime=minutes(0.03, images_of_split),
    params:
        root=CONFIG.data.root,
        classes=list(CONFIG.data.classes),
        prediction=of_method("prediction", without=("foreign",)),
        indexed=images_of("{split}"),
        masks=masks_of("{split}"),
        code=code_hash("workflow_scripts.evaluate_labels"),
    shell:
        """
        python -m workflow_scripts.evaluate_labels \
            --stage prediction_crf \
            --split {wildcards.split:q} \
            --index {input.index:q} \
            --masks {input.masks:q} \
            --root {params.root:q} \
            --classes {params.classes:q} \
            --prediction {params.prediction:q} \
            --pngs {input.predictions:q} \
            --output {output.evaluation:q} \
            --images {output.images:q} \
            --threads {threads} \
            2>&1 | tee {log:q}
        """
