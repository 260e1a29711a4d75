# Predictions of the test split → one archive, for VOC in the layout that its server takes.
# comp6 is VOC's name for segmentation by methods that learned from other data, too, as CLIP did.


rule archive_predictions:
    input:
        index=table(INDEX),
        predictions=stored("prediction_crf", "test"),
    output:
        archive=result("submission/{method}.tar.gz"),
    log:
        log_file("archive_predictions", "method"),
    benchmark:
        benchmark_file("archive_predictions", "method")
    conda:
        "../envs/ssr.yaml"
    threads: 1
    resources:
        mem_mb=memory(200, size=1),
        runtime=minutes(0.03, IMAGES["test"]),
    params:
        folder=(
            "results/VOC2012/Segmentation/comp6_test_cls"
            if CONFIG.data.format == "voc"
            else CONFIG.dataset
        ),
        indexed=images_of("test"),
        code=code_hash("workflow_scripts.archive_predictions"),
    shell:
        """
        python -m workflow_scripts.archive_predictions \
            --index {input.index:q} \
            --predictions {input.predictions:q} \
            --folder {params.folder:q} \
            --output {output.archive:q} \
            2>&1 | tee {log:q}
        """
