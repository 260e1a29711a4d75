# All evaluations and a few images with all their stages → summary.json and a page of pictures.
# Beside the page lie figures and tables; declared are only those that every evaluated run has and
# Snakemake's own report shows.

from ssr.report.look import state_of_templates

CHARTS = {
    "stages": "mIoU along the stages",
    "thresholds": "mIoU over the threshold",
    "classes": "IoU of every class",
    "confusion": "confusion matrix",
}


# The images shown are picked from the first shards of the reported splits.
rule summarise:
    input:
        evaluations=list(dict.fromkeys(evaluations().values())),
        images=image_counts(evaluations().values()),
    output:
        summary=report(
            result("summary.json"),
            category="Results",
            labels={"what": "all figures, for programs"},
            caption="captions/summary.rst",
        ),
    log:
        log_file("summarise"),
    benchmark:
        benchmark_file("summarise")
    conda:
        "../envs/ssr.yaml"
    threads: 1
    resources:
        mem_mb=memory(resampling_memory, size=1),
        runtime=minutes(0.0002, resampled_images, size=1),
    params:
        evaluations=list(evaluations()),
        from_masks=TAUGHT_BY_MASKS,
        foreign=PREDICTED_ELSEWHERE,
        dataset=CONFIG.dataset,
        config_hash=config_hash(CONFIG),
        code=code_hash("workflow_scripts.summarise"),
    shell:
        """
        python -m workflow_scripts.summarise \
            --dataset {params.dataset:q} \
            --config-hash {params.config_hash:q} \
            --from-masks {params.from_masks:q} \
            --foreign {params.foreign:q} \
            --evaluations {params.evaluations:q} \
            --output {output.summary:q} \
            2>&1 | tee {log:q}
        """


rule build_report:
    input:
        summary=rules.summarise.output.summary,
        index=rules.index_dataset.output.index,
        masks=rules.index_masks.output.masks,
        archives=DERIVED_MASKS,
        evaluations=list(dict.fromkeys(evaluations().values())),
        sweeps=list(dict.fromkeys(sweeps().values())),
        superpixels=shown("superpixels"),
        prototypes=shown_alignment()[0],
        heads=shown_alignment()[1],
        initial_cams=shown("initial_cam"),
        aligned_cams=shown("aligned_cam"),
        refined_cams=shown("refined_cam"),
        pseudo_labels=shown("pseudo_label"),
        logits=shown("prediction"),
        predictions=shown("prediction_crf"),
        foreign_cams=list(shown_foreign("initial_cam").values()),
        foreign_predictions=list(shown_foreign("prediction").values()),
    output:
        page=report(
            result("report/index.html"),
            category="Results",
            labels={"what": "the report, a page"},
            caption="captions/page.rst",
        ),
        charts=[
            report(
                result(f"report/figures/{name}.svg"),
                category="Charts",
                labels={"what": title},
                caption="captions/figure.rst",
            )
            for name, title in CHARTS.items()
            if EVALUATED
        ],
    log:
        log_file("build_report"),
    benchmark:
        benchmark_file("build_report")
    conda:
        "../envs/ssr.yaml"
    threads: 1
    resources:
        mem_mb=memory(900),
        runtime=minutes(1.0, CONFIG.report.images),
    params:
        # Not the canonical form, which sorts keys: the order of the methods means something.
        config=CONFIG.model_dump_json(),
        method=MAIN_METHOD,
        shards=[shard for names in SHOWN.values() for shard in names],
        evaluations=list(evaluations()),
        sweeps=list(sweeps()),
        foreign_cams=list(shown_foreign("initial_cam")),
        foreign_predictions=list(shown_foreign("prediction")),
        code=code_hash("workflow_scripts.build_report"),
        templates=state_of_templates(),
    shell:
        """
        python -m workflow_scripts.build_report \
            --config {params.config:q} \
            --method {params.method:q} \
            --shards {params.shards:q} \
            --summary {input.summary:q} \
            --index {input.index:q} \
            --masks {input.masks:q} \
            --evaluations {params.evaluations:q} \
            --sweeps {params.sweeps:q} \
            --superpixels {input.superpixels:q} \
            --prototypes {input.prototypes:q} \
            --heads {input.heads:q} \
            --initial-cams {input.initial_cams:q} \
            --aligned-cams {input.aligned_cams:q} \
            --refined-cams {input.refined_cams:q} \
            --pseudo-labels {input.pseudo_labels:q} \
            --logits {input.logits:q} \
            --predictions {input.predictions:q} \
            --foreign-cams {params.foreign_cams:q} \
            --foreign-predictions {params.foreign_predictions:q} \
            --output {output.page:q} \
            --threads {threads} \
            2>&1 | tee {log:q}
        """
