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
    STAGES,
    is_evaluated,
    reported_split,
    splits_of,
    stages_of,
)
from ssr.config.duplicates import repeated_keys, repeated_options
from ssr.config.settings import (
    ALIGNED,
    FINISHED,
    HEADS,
    LABELLED,
    PREDICTED,
    REFINED,
    TRAINED,
    config_hash,
    freeze,
    method_config,
    owner,
    parse_config,
    restore_empty,
)
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


try:
    if workflow.is_main_process:
        restore_empty(config, laid_over())
    # A job takes the configuration with which the run started, so that an edit of config.yaml waits
    # for the next run.
    freeze(config, starts=workflow.is_main_process)
    put_own_python_first()
    _given = parse_config(config, given_twice())
    CONFIG = without_missing_masks(_given)
    IDS = usable_ids(CONFIG)
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

IMAGES = {split: len(ids) for split, ids in IDS.items()}
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


def shards(path, splits, method=None):
    """`path` for every shard of `splits`."""
    names = [name for split in splits for name in SHARDS[split]]
    fixed = {"method": method} if method else {}
    return expand(result(path), shard=names, **fixed)


@cache
def resolved(method):
    """The configuration with the overrides of `method`."""
    return method_config(CONFIG, method)


def section(*path):
    """Canonical JSON of one section of the configuration."""
    value = CONFIG
    for name in path:
        value = getattr(value, name)
    return value.canonical()


def used_backbone(name):
    """The section of a backbone; one to be trained becomes the files that its rule makes."""
    chosen = getattr(CONFIG.backbones, name)
    if chosen.weights != "train":
        return chosen
    made = result(f"pretraining/{name}")
    files = {"model": f"{made}.json", "weights": f"{made}.safetensors"}
    return chosen.model_copy(update=files)


def backbone(name):
    """Canonical JSON of a backbone, as programs take it."""
    return used_backbone(name).canonical()


def backbones():
    """Canonical JSON of both backbones."""
    used = {name: used_backbone(name) for name in ("clip", "dino")}
    return CONFIG.backbones.model_copy(update=used).canonical()


def backbone_files(*names):
    """What stands for backbones, so that a replaced file reruns what was computed with it.

    Their local files, and the markers of the tags that are fetched.
    """
    chosen = [used_backbone(name) for name in names]
    files = local_files(path for used in chosen for path in (used.model, used.weights))
    return [*files, *weight_markers(*names)]


def weight_markers(*names):
    """The markers that fetch_weights writes, of those backbones whose weights are a tag."""
    tagged = [
        name for name in names if names_tag(getattr(CONFIG.backbones, name).weights)
    ]
    return [result(f"weights/{name}.json") for name in tagged]


def local_files(names):
    """Those of `names` that are files, not names of a library."""
    return [name for name in names if name.endswith(".json") or names_file(name)]


def of_method(name, without=()):
    """A params function: the section, as the method in the wildcards has it, as canonical JSON."""
    return lambda wildcards: getattr(resolved(wildcards.method), name).canonical(
        without
    )


@cache
def owner_of(method, sections):
    """The method under whose name the artefact of `method` that depends on `sections` lies."""
    return owner(CONFIG, method, sections)


@cache
def scored_stages(method):
    """The stages that a method has."""
    return stages_of(CONFIG, method)


SEGMENTER_METHODS = [owner_of(method, TRAINED) for method in CONFIG.segmenter_methods]


def evaluation(stage, method):
    """The evaluation of a stage of a method on the split that is reported."""
    name = owner_of(method, STAGES[stage])
    return result(f"evaluation/{stage}/{name}/{reported_split(CONFIG, stage)}.json")


def evaluations(stages=tuple(STAGES)):
    """`method=path` → path of every evaluation; methods share those of common stages."""
    return {
        f"{method}={evaluation(stage, method)}": evaluation(stage, method)
        for method in METHODS
        for stage in scored_stages(method)
        if EVALUATED and stage in stages
    }
