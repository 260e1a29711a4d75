# Prompts of classes and backgrounds → text embeddings of CLIP.


rule encode_text:
    input:
        backbone=backbone_files("clip"),
    output:
        text=result("text/{method}/embeddings.npz"),
    log:
        log_file("encode_text", "method"),
    benchmark:
        benchmark_file("encode_text", "method")
    conda:
        "../envs/ssr.yaml"
    threads: 1
    resources:
        mem_mb=memory(1400, size=1),
        runtime=minutes(30, 1, size=1),
        gpu=1,
    params:
        backbone=backbone("clip"),
        text=of_method("text"),
        classes=list(CONFIG.data.classes),
        code=code_hash("workflow_scripts.encode_text"),
    shell:
        """
        python -m workflow_scripts.encode_text \
            --backbone {params.backbone:q} \
            --text {params.text:q} \
            --classes {params.classes:q} \
            --output {output.text:q} \
            --threads {threads} \
            2>&1 | tee {log:q}
        """
