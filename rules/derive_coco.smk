# Instances files of COCO → image-level labels and, apart from them, masks; once per folder of images.
# The masks go to evaluation by way of the index stage; no training rule can reach them.


if CONFIG.data.format == "coco":

    rule derive_coco_labels:
        input:
            instances=instances_file,
        output:
            labels=result(coco.derived_labels("{folder}")),
        log:
            log_file("derive_coco_labels", "folder"),
        benchmark:
            benchmark_file("derive_coco_labels", "folder")
        conda:
            "../envs/ssr.yaml"
        threads: 1
        resources:
            mem_mb=memory(4000, size=1),
            runtime=minutes(120, 1, size=1),
        params:
            classes=list(CONFIG.data.classes),
            state=state_of_derived(coco.derived_labels),
            code=code_hash("workflow_scripts.derive_coco_labels"),
        shell:
            """
            python -m workflow_scripts.derive_coco_labels \
                --instances {input.instances:q} \
                --classes {params.classes:q} \
                --state {params.state:q} \
                --output {output.labels:q} \
                2>&1 | tee {log:q}
            """

    rule derive_coco_masks:
        input:
            instances=instances_file,
        output:
            masks=result(coco.derived_masks("{folder}")),
        log:
            log_file("derive_coco_masks", "folder"),
        benchmark:
            benchmark_file("derive_coco_masks", "folder")
        conda:
            "../envs/ssr.yaml"
        threads: 8
        resources:
            mem_mb=memory(5000, size=1),
            runtime=minutes(2400, 1, size=1),
        params:
            classes=list(CONFIG.data.classes),
            state=state_of_derived(coco.derived_masks),
            code=code_hash("workflow_scripts.derive_coco_masks"),
        shell:
            """
            python -m workflow_scripts.derive_coco_masks \
                --instances {input.instances:q} \
                --classes {params.classes:q} \
                --state {params.state:q} \
                --output {output.masks:q} \
                --threads {threads} \
                2>&1 | tee {log:q}
            """
