"""The command `ssr init`: a folder of photographs in, the settings with which it is run out."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import sys
import tempfile
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from ssr.artefacts.files import replacing
from ssr.config import Config, Data
from ssr.config.shards import shard_doubts, shard_size
from ssr.data.check import Checked
from ssr.data.source import SPLITS
from ssr.data.splits import split_ids
from ssr.errors import InputError
from ssr.init.check import (
    Labels,
    check_images,
    doubts_of,
    mean_patches,
    read_config,
    read_labels,
)
from ssr.init.costs import MEASURED_PATCHES, PEAK_MEMORY, estimate
from ssr.init.layout import describe, prepare
from ssr.init.overlay import BELOW, overlay
from ssr.running.machine import GIGABYTE, MEGABYTE, Machine
from ssr.running.places import require_workflow

# A data set whose folder has a name without any plain letter.
_UNNAMED = "photographs"


def main(arguments: argparse.Namespace) -> int:
    """Write the settings of a folder, or take those of `--check`; then check them. 1: not usable.

    Raises:
        InputError: a file is there already, or the folder holds nothing known.
    """
    require_workflow()
    machine = Machine.here()
    file = arguments.check or _write(arguments.folder, arguments.out, machine)
    try:
        _check(file, machine)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        print(f"mend this, then:\n  {_check_again(file)}")
        return 1
    return 0


def _write(folder: Path, out: Path | None, machine: Machine) -> Path:
    """Write the settings of a folder; their file."""
    dataset = _plain(folder.resolve().name)
    file = out or Path(f"{dataset}.yaml")
    if os.path.lexists(file):
        raise InputError(
            f"{file}: is there already; ssr init --check {file} says whether it is sound, "
            "--out names another file"
        )
    doubts: list[str] = []
    print(*prepare(folder, doubts), sep="\n")
    data = describe(folder, doubts)
    if Path("results", dataset).exists():
        doubts.append(f"results/{dataset} is there already; another run needs another `dataset`")
    train = len(split_ids(Data(**data))["train"])
    commands = (_check_again(file), _run(file, machine, 1))
    with replacing(file) as temporary:
        temporary.write_text(overlay(dataset, data, train, machine, commands), encoding="utf-8")
    print(f"written: {file}")
    _warn(doubts)
    return file


def _check(file: Path, machine: Machine) -> None:
    """Print what a file of settings comes to.

    Raises:
        InputError: all that is wrong.
    """
    config = read_config(file)
    with tempfile.TemporaryDirectory() as derived:
        labels = read_labels(config, Path(derived))
        _show(labels)
        many = shard_doubts(config.data, len(labels.sources))
        _warn([*doubts_of(config), *many, *labels.doubts()])
        checked = check_images(config, Path(derived), machine.cores)
    _warn(checked.warnings)
    _tell(file, config, checked, machine)


def _show(labels: Labels) -> None:
    counts = labels.counts
    print(
        f"{len(labels.sources)} images, {labels.unlabelled} without a label; images of each class:"
    )
    width = max(map(len, labels.data.classes))
    for name in labels.data.classes:
        print(f"  {name:{width}}  {counts[name]:6}")


def _tell(file: Path, config: Config, checked: Checked, machine: Machine) -> None:
    """Print the splits, what a run takes, and the next command."""
    images = {split: len(checked.index.split(split)) for split in SPLITS}
    shown = ", ".join(f"{split} {count}" for split, count in images.items() if count)
    patches = mean_patches(config, checked.index)
    needed = estimate(config, images, patches, machine)
    shard = shard_size(config.data, sum(images.values()))
    print(f"all images can be read: {shown}; {len(checked.masks.ids)} masks; shards of {shard}")
    print(
        f"about {_duration(needed.seconds)} on this machine ({machine}), if it is idle, and "
        f"{_size(needed.size)} of disk (features {_size(needed.features)}), by docs/performance.md"
    )
    print(f"next:\n  {_run(file, machine, patches)}")


def _run(file: Path, machine: Machine, patches: float) -> str:
    """The command that runs a file of settings, for images of so many patches."""
    jobs = machine.jobs(PEAK_MEMORY * max(1, patches / MEASURED_PATCHES))
    gpu = "--resources gpu=1 " if machine.gpu else ""
    return f"snakemake --cores {jobs} {gpu}--configfile {BELOW} {shlex.quote(str(file))}"


def _check_again(file: Path) -> str:
    return f"ssr init --check {shlex.quote(str(file))}"


def _plain(name: str) -> str:
    """A name as that of a run may be: letters of ASCII, digits, dashes and underscores."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_-]+", "_", plain).strip("_-") or _UNNAMED


def _duration(seconds: float) -> str:
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 2 * 60 else f"{minutes / 60:.1f} h"


def _size(size: float) -> str:
    return f"{size / GIGABYTE:.1f} GB" if size >= GIGABYTE else f"{size / MEGABYTE:.0f} MB"


def _warn(doubts: Iterable[str]) -> None:
    sys.stdout.flush()
    for doubt in doubts:
        print(f"warning: {doubt}", file=sys.stderr)
