# Images and labels → index: which images there are, in which split, with which labels, checked.
# Masks are checked with them, before anything expensive; their table is the next stage's.


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
        masks=DERIVED_MASKS,
    output:
        index=result(INDEX),
    log:
        log_file("index_dataset"),
    benchmark:
        benchmark_file("index_dataset")
    conda:
        "../envs/ssr.yaml"
    threads: 8
    resources:
        mem_mb=memory(300, kept=INDEX_BYTES * sum(IMAGES.values())),
        runtime=minutes(0.03, sum(IMAGES.values()), longest=DAY),
    params:
        data=INDEXED,
        images=IMAGES_OF_METHODS,
        derived=result("annotations"),
        state=STATES[INDEX],
        splits=STATES["splits"],
        code=code_hash("workflow_scripts.index_dataset"),
    shell:
        """
        python -m workflow_scripts.index_dataset \
            --data {params.data:q} \
            --images {params.images:q} \
            --derived {params.derived:q} \
            --state {params.state:q} \
            --output {output.index:q} \
            --threads {threads} \
            2>&1 | tee {log:q}
        """
