# Paths, shards, methods and the parameters of a rule: what all other rule files share.
import os
import signal
import sys
from functools import cache
from pathlib import Path

from snakemake.cli import get_argument_parser
from snakemake.common.configfile import load_configfile

from ssr.config.architectures import names_file, names_tag
from ssr.config.coverage import (
    FOLDERS,
    IMPORTED,
    STAGES,
    folder_of,
    is_evaluated,
    reported_split,
    splits_of,
    stages_of,
)
from ssr.config.duplicates import repeated_keys, repeated_options
from ssr.config.methods import (
    method_config,
    owner,
    rows_of_methods,
    teacher,
)
from ssr.config.settings import (
    config_hash,
    freeze,
    parse_config,
    restore_empty,
)
from ssr.config.shards import with_shard_size
from ssr.data.originals import kept_counts
from ssr.data.source import SPLITS
from ssr.data.splits import (
    cam_list,
    shard_names,
    usable_ids,
    without_missing_masks,
)
from ssr.errors import InputError
from ssr.running.programs import put_own_python_first
from ssr.running.provenance import kept_hash
from ssr.watching.watch import is_shown


def given_twice():
    """What the user gave twice; a job has its configuration from the run that started it."""
    if not workflow.is_main_process:
        return []
    files = dict.fromkeys(Path(os.path.relpath(file)) for file in workflow.configfiles)
    repeated = [line for file in files for line in repeated_keys(file)]
    options = get_argument_parser()._actions
    return [*repeated_options(sys.argv[1:], options), *repeated]


def laid_over():
    """What the user lays over config.yaml, in the order in which it counts."""
    given = workflow.config_settings
    return [*map(load_configfile, given.configfiles), given.config]


@cache
def ids_of_splits():
    """The ids of each split; a job asks for them only where it needs more than their number."""
    return usable_ids(CONFIG)


try:
    if workflow.is_main_process:
        restore_empty(config, laid_over())
    # A job takes the configuration with which the run started, so that an edit of config.yaml waits
    # for the next run.
    freeze(config, starts=workflow.is_main_process)
    put_own_python_first()
    _given = parse_config(config, given_twice())
    CONFIG = without_missing_masks(_given)
    IMAGES = kept_counts(ids_of_splits, starts=workflow.is_main_process)
except InputError as error:
    sys.exit(f"error: {error}")

if workflow.is_main_process and CONFIG != _given:
    print(
        f"warning: {_given.data.root} has no folder {_given.data.masks}: nothing is tuned or "
        "evaluated, as with data.masks: null",
        file=sys.stderr,
    )

# A scheduler's warning, SIGTERM or SIGUSR1, reaches every process of a job. How to end is for the
# program to decide: the shell waits for it, tee writes down its last words, and the Snakemake of the
# job, which knows what to do on SIGTERM, passes over SIGUSR1.
# Where the run is shown in our own words, what a program prints goes to its log alone.
shown = "> /dev/null" if is_shown(workflow) else ""
shell.prefix(
    "set -euo pipefail; trap : TERM USR1; "
    "tee() {{ trap '' INT TERM USR1; command tee \"$@\" {shown}; }}; "
)
if not workflow.is_main_process:
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)

CONFIG = with_shard_size(CONFIG, sum(IMAGES.values()))
SHARDS = shard_names(IMAGES, CONFIG.data.shard_size)
RESULTS = f"results/{CONFIG.dataset}"
METHODS = list(CONFIG.methods)
MAIN_METHOD = METHODS[0]

CAM_STAGES = ["initial_cam", "aligned_cam", "refined_cam", "pseudo_label"]
EVALUATED = is_evaluated(CONFIG)


wildcard_constraints:
    method="|".join(METHODS),
    shard=rf"({'|'.join(SPLITS)})_\d+",
    split="|".join(SPLITS),
    round=r"\d+",
    stage="|".join(STAGES),
    cam_stage="initial_cam|aligned_cam|refined_cam",
    network="clip|dino",


def result(path):
    """A path below the folder of this run."""
    return f"{RESULTS}/{path}"


def code_hash(module):
    """The hash of a program's code; in a job, the one that it had when the run started."""
    return kept_hash(module, starts=workflow.is_main_process)


def log_file(rule, *wildcards):
    """logs/{rule}/{wildcards}.log below the folder of this run."""
    name = "-".join(f"{{{wildcard}}}" for wildcard in wildcards) or rule
    return result(f"logs/{rule}/{name}.log")


def benchmark_file(rule, *wildcards):
    """benchmarks/{rule}/{wildcards}.tsv: seconds, memory and disk traffic of every job."""
    name = "-".join(f"{{{wildcard}}}" for wildcard in wildcards) or rule
    return result(f"benchmarks/{rule}/{name}.tsv")


@cache
def resolved(method):
    """The configuration with the overrides of `method`."""
    return method_config(CONFIG, method)


@cache
def owner_of(method, made):
    """The method under whose name lies what is made for `method`; see ssr.config.methods."""
    return owner(CONFIG, method, made)


def made(path, name):
    """An input function: `path`, with the owner of what the method in the wildcards has made."""
    return lambda wildcards: result(
        path.replace("{method}", owner_of(wildcards.method, name))
    )


LABEL_MAPS = (FOLDERS["pseudo_label"], FOLDERS["prediction_crf"], IMPORTED)


def store(stage):
    """Where the stores of a stage lie, of methods of ours."""
    return store_in(FOLDERS[stage])


def store_in(folder):
    """The stores in a folder."""
    suffix = "zip" if folder in LABEL_MAPS else "zarr.zip"
    return result(f"{folder}/{{method}}/{{shard}}.{suffix}")


def shards(stage, splits, method):
    """The stores that a method has of a stage, for every shard of `splits`."""
    names = [name for split in splits for name in SHARDS[split]]
    pattern = store_in(folder_of(CONFIG, method, stage))
    return expand(pattern, shard=names, method=owner_of(method, stage))


def stored(stage, *splits):
    """An input function: what the method has of a stage, of the shard or of those of `splits`."""

    def found(wildcards):
        if splits:
            return shards(stage, splits, wildcards.method)
        owner = owner_of(wildcards.method, stage)
        return expand(store(stage), shard=wildcards.shard, method=owner)

    return found


def section(*path):
    """Canonical JSON of one section of the configuration."""
    value = CONFIG
    for name in path:
        value = getattr(value, name)
    return value.canonical()


@cache
def used_backbone(name, method):
    """The section of a backbone; one to be trained becomes the files that its rule makes."""
    chosen = getattr(resolved(method).backbones, name)
    if chosen.weights != "train":
        return chosen
    trained = result(f"pretraining/{owner_of(method, name)}/{name}")
    files = {"model": f"{trained}.json", "weights": f"{trained}.safetensors"}
    return chosen.model_copy(update=files)


def backbone(name):
    """A params function: canonical JSON of a backbone, as programs take it."""
    return lambda wildcards: used_backbone(name, wildcards.method).canonical()


def backbones(wildcards):
    """Canonical JSON of both backbones."""
    used = {name: used_backbone(name, wildcards.method) for name in ("clip", "dino")}
    return CONFIG.backbones.model_copy(update=used).canonical()


def backbone_files(*names):
    """An input function: what stands for backbones.

    A replaced file reruns what was computed with it: their local files, and the markers of the tags
    that are fetched.
    """

    def found(wildcards):
        chosen = {name: used_backbone(name, wildcards.method) for name in names}
        return [
            *local_files(
                path for used in chosen.values() for path in (used.model, used.weights)
            ),
            *(
                result(f"weights/{owner_of(wildcards.method, name)}/{name}.json")
                for name, used in chosen.items()
                if names_tag(used.weights)
            ),
        ]

    return found


def local_files(names):
    """Those of `names` that are files, not names of a library."""
    return [name for name in names if name.endswith(".json") or names_file(name)]


def of_method(name, without=()):
    """A params function: the section, as the method in the wildcards has it, as canonical JSON."""
    return lambda wildcards: getattr(resolved(wildcards.method), name).canonical(
        without
    )


def seed_of_method(wildcards):
    """A params function: with which seed the method learns."""
    return resolved(wildcards.method).seed


@cache
def scored_stages(method):
    """The stages that a method has."""
    return stages_of(CONFIG, method)


# Those whose initial CAMs another system has made.
FOREIGN = [method for method in METHODS if resolved(method).cams.foreign]


# Those whose predictions another system has made, and nothing else.
PREDICTED_ELSEWHERE = [
    method for method in METHODS if resolved(method).prediction.foreign
]


# Those with pseudo-labels.
LABELLING = [method for method in METHODS if "pseudo_label" in scored_stages(method)]


# Those whose initial CAMs are what the segmenter of another method says.
TAUGHT = [method for method in METHODS if resolved(method).cams.segmenter]


# Those whose segmenter is trained jointly with CMPA.
JOINT = [method for method in METHODS if resolved(method).segmenter.joint]


# Those whose segmenter learns from masks: what the others are held against, never one of them.
TAUGHT_BY_MASKS = [method for method in METHODS if resolved(method).learns_from_masks]


def one_of(names):
    """A wildcard constraint: any of `names`; of none, nothing matches."""
    return "|".join(names) or "(?!)"


SEGMENTER_METHODS = [
    owner_of(method, "segmenter") for method in CONFIG.segmenter_methods
]


def evaluation(stage, method):
    """The evaluation of a stage of a method on the split that is reported."""
    name = owner_of(method, stage)
    return result(f"evaluation/{stage}/{name}/{reported_split(CONFIG, stage)}.json")


def evaluations(stages=STAGES):
    """`method/seed=path` → path of every evaluation; methods share those of common stages.

    What a further seed shares with the first of its method stands there alone.
    """
    return {
        f"{method}/{seed}={evaluation(stage, row)}": evaluation(stage, row)
        for method, seeds in rows_of_methods(CONFIG).items()
        for seed, row in seeds.items()
        for stage in scored_stages(row)
        if EVALUATED and stage in stages
        if row == method or evaluation(stage, row) != evaluation(stage, method)
    }
