# What a job asks of a scheduler: megabytes and minutes, by its images, their size and the attempt.
# The figures in the rules were measured on two CPU cores with photographs of VOC's size, ViT-B/16
# (docs/performance.md, docs/voc_subset.md); what is added here is for slower and busier machines.
from math import ceil

# Megapixels of an image. A folder's are not known before it is indexed: taken to be as COCO's.
MEGAPIXELS = {"demo": 0.02, "voc": 0.19, "coco": 0.31, "folder": 0.31}
MEASURED_MEGAPIXELS = 0.19
MEASURED_PATCH = 16

# Around every job are two processes of Snakemake.
SNAKEMAKE_MB = 300
LEAST_MB = 400
LEAST_MINUTES = 10
# Bytes that a job keeps of each of its images, however large they are, measured on stubs
# (docs/performance.md, Millions of images).
SHARD_BYTES = 17_000  # tables of contents of the stores that it reads and writes
INDEX_BYTES = 3_200
CLUSTER_BYTES = 20_000  # samples of CMPA, before and behind its heads
SAMPLE_BYTES = 7_000  # samples of CMPA alone
LESSON_BYTES = 2_000  # rows of the index, and tables of contents of pseudo-labels
# So many times the seconds that were measured are asked for.
MARGIN = 3
# Measured on the demo; rules that are missing take little more than their start.
DEMO_SECONDS = {
    "make_demo_dataset": 14,
    "check_backbones": 15,
    "encode_text": 15,
    "extract_features": 20,
    "activate_initial_cams": 10,
    "pool_samples": 10,
    "cluster_prototypes": 11,
    "align_prototypes": 9,
    "choose_heads": 11,
    "activate_aligned_cams": 12,
    "refine_cams": 7,
    "train_segmenter": 800,
    "train_jointly": 1100,
    "train_fully_supervised": 800,
    "predict_logits": 51,
    "refine_predictions": 15,
    "build_report": 45,
}
# No training asks for more at once: the next attempt continues from its newest checkpoint.
DAY = 24 * 60


def image_size(wildcards):
    """Pixels, or patches, of an image in relation to those measured; smaller ones count as 1."""
    images = resolved(wildcards.get("method", MAIN_METHOD)).images
    largest = (images.max_side or 10**6) ** 2 / 10**6
    pixels = min(MEGAPIXELS[CONFIG.data.format], largest) / MEASURED_MEGAPIXELS
    return max(1, pixels, pixels * (MEASURED_PATCH / images.patch) ** 2)


def number(given, wildcards):
    """`given`, or what it says of the wildcards."""
    return given(wildcards) if callable(given) else given


def images_of_shard(wildcards):
    """At most so many images are in the shard."""
    split = wildcards.shard.rpartition("_")[0]
    return min(CONFIG.data.shard_size, IMAGES[split])


def kept_of_shard(wildcards):
    """Bytes that a job keeps of the images of its shard, if it has one."""
    return (
        SHARD_BYTES * images_of_shard(wildcards) if "shard" in wildcards.keys() else 0
    )


def memory(measured, size=image_size, kept=kept_of_shard):
    """A resource function: megabytes, as much again per attempt.

    From the peak that was measured on a few images, and the bytes that are kept of all.
    """

    def asked(wildcards, attempt):
        peak = number(measured, wildcards) * number(size, wildcards)
        peak += number(kept, wildcards) / 10**6
        return max(LEAST_MB, SNAKEMAKE_MB + ceil(1.5 * peak)) * attempt

    return asked


def images_of_split(wildcards):
    """So many images are in the split."""
    return IMAGES[wildcards.split]


def minutes(seconds, count=images_of_shard, size=image_size, longest=None):
    """A resource function: minutes, from the seconds that each of `count` takes on one core."""

    def asked(wildcards, attempt):
        jobs_seconds = seconds * number(size, wildcards) * number(count, wildcards)
        needed = LEAST_MINUTES + ceil(MARGIN * jobs_seconds / 60)
        return min(needed * attempt, longest or needed * attempt)

    return asked


def expected_seconds(job):
    """The seconds on one core that a job may take: for the time left, not for a scheduler.

    Those from which `minutes` came to its runtime; the demo's networks are much smaller.
    """
    if CONFIG.data.format == "demo":
        return DEMO_SECONDS.get(job.rule.name, 0)
    return 60 * (job.resources.get("runtime", 0) - LEAST_MINUTES) / MARGIN


def crops(wildcards):
    """Training crops of the segmenter, in areas of 320×320 pixels."""
    settings = resolved(wildcards.method).segmenter
    area = (settings.crop_size / 320) ** 2
    return settings.iterations * settings.batch_size * area


def pooled_images(wildcards):
    """Images that a round pools by itself; to cluster samples that are there takes next to nothing."""
    return IMAGES["train"] * (1 if pools_after(wildcards.method) else 0.01)


# Of an image that the alignment learns from: how many samples take as long, and its megabytes. Its
# activations in CLIP's last block are kept where that is trained.
ALIGNED_IMAGE = {"heads": (500, 30), "last_block": (900, 50)}


def alignment_samples(wildcards):
    """Samples that a round of the alignment learns from, or as many as take as long."""
    method = resolved(wildcards.method)
    settings = method.alignment
    cost, _ = ALIGNED_IMAGE[settings.trains]
    each = cost * image_size(wildcards) if method.aligns_patches else 1
    return settings.iterations * settings.batch_size * each


def alignment_memory(wildcards):
    """Megabytes that a round of the alignment takes; samples need next to none."""
    method = resolved(wildcards.method)
    images = method.alignment.batch_size if method.aligns_patches else 0
    _, megabytes = ALIGNED_IMAGE[method.alignment.trains]
    return 800 + megabytes * images * image_size(wildcards)


def activations_of_tune(wildcards):
    """Images of tune, each counted once for every look at the heads."""
    settings = resolved(wildcards.method).alignment
    return IMAGES["tune"] * (1 + settings.rounds * settings.looks)


def resampled_images(wildcards):
    """Images of all evaluations that are resampled, each as often as it was evaluated."""
    return max(IMAGES.values()) * len(set(evaluations().values()))


def resampling_memory(wildcards):
    """Megabytes of an evaluation of each image's classes, of which there are three copies."""
    classes = len(CONFIG.data.classes) + 1
    return 150 + ceil(3 * 16 * max(IMAGES.values()) * classes / 10**6)


def pretraining_steps(network):
    """A function: optimiser steps of clip or dino, where it is trained here."""
    return lambda wildcards: getattr(
        resolved(wildcards.method).pretraining, f"{network}_steps"
    )


def stored_squares(besides):
    """A function: megabytes of a training of a backbone, with the train images that it holds."""

    def needed(wildcards):
        side = resolved(wildcards.method).pretraining.side
        return besides + ceil(IMAGES["train"] * 3 * side**2 / 10**6)

    return needed
