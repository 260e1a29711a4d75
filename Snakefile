# SSR: images with image-level labels in, a CRF-evaluated segmenter out.
#
#   snakemake --cores all                                 everything, on the demo data set
#   snakemake --cores all cams|labels|segmenter|ablation  up to that point
#   snakemake --cores all --configfile config/voc.yaml    another data set
#   snakemake --profile slurm                             on a cluster

import atexit

from ssr.config.consistency import doubts
from ssr.config.settings import record
from ssr.config.shards import shard_doubts
from ssr.running.claims import check_folder, claim, explain, this_run
from ssr.running.garbage import search_seldom
from ssr.watching.watch import (
    ask_behind_ancient,
    choose_when_jobs_end,
    hush,
    is_shown,
    remake_unfinished,
    settle,
    watch,
)

search_seldom()

# A job starts a Snakemake of its own, and is handed the configuration of its run.
if workflow.is_main_process:

    configfile: "config.yaml"


if is_shown(workflow):
    hush(workflow)


# In which `snakemake --sdm apptainer` runs the rules: docs/slurm.md, In a container.
container: "ssr.sif"


include: "rules/common.smk"
include: "rules/inputs.smk"
include: "rules/resources.smk"
include: "rules/fetch_weights.smk"
include: "rules/pretrain_demo.smk"
include: "rules/derive_coco.smk"
include: "rules/index_dataset.smk"
include: "rules/index_masks.smk"
include: "rules/pretrain.smk"
include: "rules/check_backbones.smk"
include: "rules/encode_text.smk"
include: "rules/extract_features.smk"
include: "rules/segment_superpixels.smk"
include: "rules/activate_cams.smk"
include: "rules/import_cams.smk"
include: "rules/import_predictions.smk"
include: "rules/feed_back_logits.smk"
include: "rules/pool_samples.smk"
include: "rules/align_prototypes.smk"
include: "rules/refine_cams.smk"
include: "rules/label_pixels.smk"
include: "rules/train_segmenter.smk"
include: "rules/train_jointly.smk"
include: "rules/train_fully_supervised.smk"
include: "rules/predict_logits.smk"
include: "rules/refine_predictions.smk"
include: "rules/archive_predictions.smk"
include: "rules/evaluate.smk"
include: "rules/build_report.smk"


# A second run on the same results is refused, and named the first: below Snakemake's own refusal,
# which comes before onstart and names nobody.
if workflow.is_main_process:
    try:
        check_folder(Path(RESULTS))
    except InputError as error:
        sys.exit(f"error: {error}")
    ask_behind_ancient(workflow)
    remake_unfinished(workflow, Path(RESULTS))
    for line in reversed([*explain(Path(RESULTS))]):
        atexit.register(print, line, file=sys.stderr)
    for doubt in [*doubts(CONFIG), *shard_doubts(CONFIG.data, sum(IMAGES.values()))]:
        print(f"warning: {doubt}", file=sys.stderr)


onstart:
    # Only the executor for SLURM has a name for its jobs.
    jobs = getattr(workflow.scheduler._executor, "run_uuid", None)
    run = this_run(jobs)
    try:
        claim(Path(RESULTS), run)
        record(CONFIG, Path(RESULTS))
    except InputError as error:
        sys.exit(f"error: {error}")
    watch(workflow, Path(RESULTS), run, expected_seconds)
    choose_when_jobs_end(workflow)


onsuccess:
    page = rules.build_report.output.page
    if any(page in job.output for job in workflow.dag.jobs):
        print(f"report: {page}", file=sys.stderr)


onerror:
    settle(workflow)
    if any("SLURM sbatch failed" in Path(each).read_text() for each in log):
        print(
            "error: sbatch refused a job, for the reason above; docs/slurm.md, What to edit, says "
            "where jobs ask for GPUs and other things that no node may have",
            file=sys.stderr,
        )


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
        lambda _: shards(
            "refined_cam",
            sorted(splits_of(CONFIG, MAIN_METHOD, "refined_cam")),
            MAIN_METHOD,
        ),


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
        evaluations(CAM_STAGES).values() if EVALUATED else pseudo_labels(LABELLING),


rule report:
    input:
        rules.build_report.output,
