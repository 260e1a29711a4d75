# Images and labels → index: which images there are, in which split, with which labels, checked.
# The masks go to a table of their own, so that no training rule can reach one.


if CONFIG.data.format == "demo":

    # Procedural scenes → data/demo, in the layout of any folder of one's own.
    rule make_demo_dataset:
        output:
            labels=f"{CONFIG.data.root}/labels.csv",
        log:
            log_file("make_demo_dataset"),
        benchmark:
            benchmark_file("make_demo_dataset")
        conda:
            "../envs/ssr.yaml"
        threads: 2
        resources:
            mem_mb=memory(400, size=1),
            runtime=minutes(0.1, sum(IMAGES.values()), size=1),
        params:
            root=lambda wildcards, output: str(Path(output.labels).parent),
            demo=section("data", "demo"),
            code=code_hash("workflow_scripts.make_demo_dataset"),
        shell:
            """
            python -m workflow_scripts.make_demo_dataset \
                --demo {params.demo:q} \
                --root {params.root:q} \
                --threads {threads} \
                2>&1 | tee {log:q}
            """


rule index_dataset:
    input:
        labels=(
            rules.make_demo_dataset.output.labels
            if CONFIG.data.format == "demo"
            else DERIVED_LABELS
        ),
        own=own_tables(),
        masks=DERIVED_MASKS,
    output:
        index=result("index/index.parquet"),
        masks=result("index/masks.parquet"),
    log:
        log_file("index_dataset"),
    benchmark:
        benchmark_file("index_dataset")
    conda:
        "../envs/ssr.yaml"
    threads: 8
    resources:
        mem_mb=memory(300),
        runtime=minutes(0.3, sum(IMAGES.values())),
    params:
        data=CONFIG.data.canonical(without=("demo",)),
        images=section("images"),
        derived=result("annotations"),
        code=code_hash("workflow_scripts.index_dataset"),
    shell:
        """
        python -m workflow_scripts.index_dataset \
            --data {params.data:q} \
            --images {params.images:q} \
            --derived {params.derived:q} \
            --index {output.index:q} \
            --masks {output.masks:q} \
            --threads {threads} \
            2>&1 | tee {log:q}
        """
