"""A workflow with rules of the same shapes as the real one's, whose jobs take no time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

RESULTS = Path("results/tiny")

_SNAKEFILE = """\
from pathlib import Path
from ssr.running.claims import claim, this_run
from ssr.watching.watch import hush, is_shown, remake_unfinished, settle, watch

if is_shown(workflow):
    hush(workflow)
include: "rules/tiny.smk"
if workflow.is_main_process:
    remake_unfinished(workflow, Path("results/tiny"))
onstart:
    run = this_run()
    claim(Path("results/tiny"), run)
    watch(workflow, Path("results/tiny"), run, lambda job: 60)
onerror:
    settle(workflow)
rule all:
    default_target: True
    input: "results/tiny/model"
rule cams:
    input: rules.train_segmenter.input
rule labels:
    input: rules.train_segmenter.input
rule segmenter:
    input: "results/tiny/model"
rule ablation:
    input: "results/tiny/model"
"""

_RULES = """\
shell.prefix("set -euo pipefail; ")
rule index_dataset:
    output: "results/tiny/index.json"
    log: "results/tiny/logs/index_dataset/index_dataset.log"
    shell: "echo 'warning: no image of a cat' > {log}; echo 1 > {output}"
rule refine_cams:
    input: "results/tiny/index.json"
    output: "results/tiny/cams/{method}/{shard}.zip", "results/tiny/cams/{method}/{shard}.json"
    log: "results/tiny/logs/refine_cams/{method}-{shard}.log"
    benchmark: "results/tiny/benchmarks/refine_cams/{method}-{shard}.tsv"
    resources: runtime=2
    shell: "bash program {wildcards.shard} {output} > {log} 2>&1"
rule train_segmenter:
    input: expand("results/tiny/cams/ssr/{shard}.zip", shard=["a", "b", "c"])
    output: "results/tiny/model"
    log: "results/tiny/logs/train_segmenter/ssr.log"
    params: power=1
    shell: "echo 1 > {output}"
"""

# Shard b fails until a file is there, shard c waits until one is.
_PROGRAM = """\
if [ $1 = b ]; then
    [ -e mended ] || { echo "error: b is broken"; exit 3; }
fi
if [ $1 = c ]; then
    touch waits
    until [ -e free ]; do sleep 0.1; done
fi
echo 1 | tee $2 $3
"""


def tiny_workflow(folder: Path) -> Path:
    """`folder` with the workflow in it."""
    (folder / "rules").mkdir(parents=True)
    (folder / "Snakefile").write_text(_SNAKEFILE)
    (folder / "rules/tiny.smk").write_text(_RULES)
    (folder / "program").write_text(_PROGRAM)
    return folder


def command(*arguments: str) -> list[str]:
    """The command line of Snakemake for the tiny workflow."""
    return [sys.executable, "-m", "snakemake", "--cores", "3", *arguments]


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the tiny workflow to its end."""
    return subprocess.run(command(*arguments), cwd=folder, capture_output=True, text=True)
