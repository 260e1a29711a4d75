# All evaluations and a few images with all their stages → summary.json and a page of pictures.

SHOWN = SHARDS[CONFIG.evaluation.cam_split][:1]
SHOWN_PREDICTIONS = SHARDS[CONFIG.evaluation.prediction_split][:1]


def shown(path, method, names=SHOWN):
    """`path` for the shards of the images that the report shows."""
    return expand(result(path), shard=names, method=[method])


rule summarise:
    input:
        evaluations=list(dict.fromkeys(evaluations().values())),
    output:
        summary=result("summary.json"),
    params:
        evaluations=list(evaluations()),
        dataset=CONFIG.dataset,
        seed=CONFIG.seed,
        config_hash=config_hash(CONFIG),
        code=code_hash("workflow_scripts.summarise"),
    log:
        log_file("summarise"),
    benchmark:
        benchmark_file("summarise")
    threads: 1
    resources:
        mem_mb=500,
        runtime=10,
    conda:
        "../envs/ssr.yaml"
    shell:
        """
        python -m workflow_scripts.summarise \
            --dataset {params.dataset:q} \
            --seed {params.seed} \
            --config-hash {params.config_hash:q} \
            --evaluations {params.evaluations:q} \
            --output {output.summary:q} \
            2>&1 | tee {log:q}
        """


rule build_report:
    input:
        summary=rules.summarise.output.summary,
        evaluations=list(dict.fromkeys(evaluations().values())),
        index=rules.index_dataset.output.index,
        masks=rules.index_dataset.output.masks,
        superpixels=shards_shown("superpixels/{shard}.zarr.zip"),
    output:
        page=result("report/index.html"),
    shell:
        ""
