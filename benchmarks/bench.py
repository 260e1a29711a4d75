"""Our ways beside the field's, measured in one run: `make bench`, or some rows of it by name.

`python -m benchmarks.bench [ROW …] [--images FOLDER] [--count 4] [--pairs 8]` calls both ways in
turn, the first one changing, in one process and one thread, and counts processor seconds. Each row
becomes benchmarks/results/{row}.json, and all of these the table of docs/performance.md. The
networks have random weights: what they cost is what counts. Without a folder of photographs some
of VOC's sizes are made up.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks import bench_rows, bench_stages
from benchmarks.bench_rows import EQUAL, Material, Pair
from benchmarks.gpu_bench import SIZES, _photograph
from ssr.backbones.products import faster_products
from ssr.data.images import load_image

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks/results"
DOCUMENT = ROOT / "docs/performance.md"
BEGIN, END = "<!-- make bench -->\n", "<!-- end of make bench -->\n"
Row = dict[str, Any]
ROWS = {**bench_rows.ROWS, **bench_stages.ROWS}


def processor_seconds(call: Callable[[], object]) -> tuple[float, object]:
    """What a call took, programs that it started included, and what it gave."""
    start = _used()
    result = call()
    return _used() - start, result


def _used() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def measure(name: str, pairs: Sequence[Pair], repeats: int) -> Row:
    """The row: `repeats` rounds over all pairs, each way first in every other one.

    Ours with the products of matrices that programs choose, the reference with torch's own.
    """
    _as_programs_do(pairs[0].ours)  # warming up
    pairs[0].reference()
    times = []
    for number in range(repeats):
        pair = pairs[number % len(pairs)]
        timed = [partial(processor_seconds, way) for way in (pair.ours, pair.reference)]
        ways = [partial(_as_programs_do, timed[0]), timed[1]]
        order = (0, 1) if number % 2 else (1, 0)
        found = {place: ways[place]() for place in order}
        if name in EQUAL:
            _refuse_other(name, found[0][1], found[1][1])
        times.append((found[0][0], found[1][0]))
    ours, reference = np.array(times).T
    ratios = ours / reference
    return {
        "name": name,
        "ratio": _rounded(np.median(ratios)),
        "low": _rounded(ratios.min()),
        "high": _rounded(ratios.max()),
        "ours": _rounded(np.median(ours)),
        "reference": _rounded(np.median(reference)),
        "unit": "processor seconds",
        "repeats": repeats,
        "threads": torch.get_num_threads(),
        "images": len(pairs),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "date": f"{date.today()}",
    }


def _as_programs_do(call: Callable[[], Any]) -> Any:
    """What a call gives; to replace products is no part of what it takes."""
    held = faster_products()
    result = call()
    del held
    return result


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")


def _refuse_other(name: str, ours: Any, reference: Any) -> None:
    measure, allowed = EQUAL[name]
    apart = measure(ours, reference)
    if not apart <= allowed:
        raise AssertionError(f"{name}: results are {apart} apart, allowed {allowed}")


def table(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Lines of Markdown, in the order of `ROWS`."""
    yield "| row | ours, s | reference, s | ratio (range) | pairs |"
    yield "|---|---|---|---|---|"
    places = list(ROWS)
    for row in sorted(rows, key=lambda row: places.index(row["name"])):
        spread = f"**{row['ratio']:g}** ({row['low']:g} to {row['high']:g})"
        pairs = f"{row['repeats']} on {row['images']}"
        yield f"| `{row['name']}` | {row['ours']:g} | {row['reference']:g} | {spread} | {pairs} |"


def write_table(document: Path, results: Path) -> None:
    """Put the rows of all files in `results` between the marks of `document`."""
    rows = [json.loads(path.read_text()) for path in sorted(results.glob("*.json"))]
    before, _, rest = document.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    lines = "\n".join(table([row for row in rows if row["name"] in ROWS]))
    document.write_text(f"{before}{BEGIN}{lines}\n{END}{after}")


def photographs(folder: Path | None, count: int) -> list[NDArray[np.uint8]]:
    """The first of a folder, or made up ones of VOC's sizes."""
    if folder is not None:
        return [load_image(path) for path in sorted(folder.glob("*.jpg"))[:count]]
    random = np.random.default_rng(0)
    return [np.array(_photograph(random, *SIZES[place % len(SIZES)])) for place in range(count)]


def main(arguments: Sequence[str]) -> None:
    """Measure, write and print."""
    flags = argparse.ArgumentParser(description=__doc__)
    flags.add_argument("rows", nargs="*", metavar="ROW", help=f"all by default: {', '.join(ROWS)}")
    flags.add_argument("--images", type=Path, help="folder of .jpg files")
    flags.add_argument("--count", type=int, default=4)
    flags.add_argument("--pairs", type=int, default=8)
    chosen = flags.parse_args(arguments)
    if unknown := set(chosen.rows) - set(ROWS):
        flags.error(f"rows are {', '.join(ROWS)}; came {', '.join(sorted(unknown))}")
    torch.set_num_threads(1)
    material = Material(photographs(chosen.images, chosen.count))
    RESULTS.mkdir(exist_ok=True)
    for name in chosen.rows or ROWS:
        row = measure(name, list(ROWS[name](material)), chosen.pairs)
        print(f"{name:24s} {row['ratio']:8g} ({row['low']:g} to {row['high']:g})", flush=True)
        (RESULTS / f"{name}.json").write_text(json.dumps(row, indent=1) + "\n")
    write_table(DOCUMENT, RESULTS)


if __name__ == "__main__":
    main(sys.argv[1:])
