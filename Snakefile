# SSR: images with image-level labels in, a CRF-evaluated segmenter out.
#
#   snakemake --cores all                                 everything, on the demo data set
#   snakemake --cores all cams|labels|segmenter|ablation  up to that point
#   snakemake --cores all --configfile config/voc.yaml    another data set

from ssr.settings import doubts


configfile: "config.yaml"


include: "rules/common.smk"
include: "rules/inputs.smk"
include: "rules/fetch_weights.smk"
include: "rules/pretrain_demo.smk"
include: "rules/derive_coco.smk"
include: "rules/index_dataset.smk"
include: "rules/pretrain.smk"
include: "rules/check_backbones.smk"
include: "rules/encode_text.smk"
include: "rules/extract_features.smk"
include: "rules/segment_superpixels.smk"
include: "rules/activate_cams.smk"
include: "rules/align_prototypes.smk"
include: "rules/refine_cams.smk"
include: "rules/label_pixels.smk"
include: "rules/train_segmenter.smk"
include: "rules/predict_logits.smk"
include: "rules/refine_predictions.smk"
include: "rules/archive_predictions.smk"
include: "rules/evaluate.smk"
include: "rules/build_report.smk"


onstart:
    for doubt in doubts(CONFIG):
        print(f"warning: {doubt}", file=sys.stderr)


localrules:
    all,
    cams,
    labels,
    segmenter,
    ablation,
    report,
    pretrain_demo,
    fetch_weights,


# The report rests on every evaluation, and those on everything else; what has no masks is only
# predicted.
rule all:
    default_target: True
    input:
        rules.build_report.output,
        predictions(),
        submissions(),


# Refined CAMs of the first method.
rule cams:
    input:
        shards("cams/refined/{method}/{shard}.zarr.zip", CAM_SPLITS, MAIN_METHOD),


# Pseudo-labels that a segmenter learns from.
rule labels:
    input:
        pseudo_labels([MAIN_METHOD]),


rule segmenter:
    input:
        expand(result("segmenter/{method}/model.safetensors"), method=SEGMENTER_METHODS),


# Every method, evaluated up to its pseudo-labels.
rule ablation:
    input:
        evaluations(CAM_STAGES).values() if EVALUATED else pseudo_labels(METHODS),


rule report:
    input:
        rules.build_report.output,
