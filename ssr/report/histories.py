"""Training histories that a run left behind: CSV files with a column `loss`, or `miou`."""

from __future__ import annotations

from pathlib import Path

from ssr.config import Config
from ssr.config.methods import method_config, owner


def find_histories(results: Path, config: Config) -> dict[str, dict[str, list[Path]]]:
    """Histories by what was trained and method, the rounds of an alignment in their order.

    Backbones stand under their own names, with the method behind it where the first uses others.
    Methods whose training is that of another method have none of their own.
    """
    first = next(iter(config.methods))
    standins = {
        network if method == first else f"{network} of {method}": [
            results / "pretraining" / method / f"{network}.csv"
        ]
        for method in config.methods
        for network in ("clip", "dino")
        if owner(config, method, network) == method
        and getattr(method_config(config, method).backbones, network).weights == "train"
    }
    alignments = {
        method: _rounds(results, config, method)
        for method in config.methods
        if owner(config, method, "heads") == method
    }
    segmenters = {
        method: [results / "segmenter" / method / "history.csv"]
        for method in config.segmenter_methods
    }
    trained = {"backbones": standins, "alignment": alignments, "segmenter": segmenters}
    return {what: _existing(histories) for what, histories in trained.items()}


def find_looks(results: Path, config: Config) -> dict[str, Path]:
    """What was seen where the heads of a method were chosen on tune, by method."""
    looked = {
        name: results / "alignment" / name / "chosen.csv"
        for name in config.methods
        if (alignment := method_config(config, name).alignment).enabled
        and alignment.stop == "tune"
        and owner(config, name, "aligned_cam") == name
    }
    return {name: path for name, path in looked.items() if path.exists()}


def _rounds(results: Path, config: Config, method: str) -> list[Path]:
    settings = method_config(config, method).alignment
    rounds = range(1, settings.rounds + 1) if settings.enabled else ()
    return [results / "alignment" / method / f"{number}.csv" for number in rounds]


def _existing(histories: dict[str, list[Path]]) -> dict[str, list[Path]]:
    found = {name: [path for path in paths if path.exists()] for name, paths in histories.items()}
    return {name: paths for name, paths in found.items() if paths}
