"""Snakemake's DAG as JSON: every job of the configuration, and why it would run."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from snakemake.api import SnakemakeApi
from snakemake.settings.enums import RerunTrigger
from snakemake.settings.types import ConfigSettings, DAGSettings, OutputSettings, ResourceSettings

TARGETS = frozenset({"all", "cams", "labels", "segmenter", "ablation"})
# All but the environment, which only the command line of a run knows (--sdm).
_TRIGGERS = RerunTrigger.all() - {RerunTrigger.SOFTWARE_ENV}
_FLAGS = {
    "_incomplete_output": "it was not completed",
    "input_changed": "set of input files has changed since last execution",
    "code_changed": "code has changed since last execution",
}


def main(configfiles: list[str]) -> None:
    """Print a list of {rule, outputs, log, reason}, `reason` as in ssr.doctor.workflow.Reason."""
    settings = OutputSettings(dryrun=True, log_level_override=logging.ERROR)
    with SnakemakeApi(settings) as snakemake:
        try:
            jobs = list(_jobs(snakemake, [*map(Path, configfiles)]))
        except Exception as error:
            snakemake.print_exception(error)
            sys.exit(1)
    print(json.dumps(jobs))


def _jobs(snakemake: SnakemakeApi, configfiles: list[Path]) -> Iterator[dict[str, Any]]:
    workflow = snakemake.workflow(
        ResourceSettings(cores=1), ConfigSettings(configfiles=configfiles), snakefile="Snakefile"
    )
    settings = DAGSettings(targets=TARGETS, rerun_triggers=_TRIGGERS, force_incomplete=True)
    workflow.dag(settings).execute_workflow(executor="dryrun")
    dag = workflow._workflow.dag
    for job in dag.jobs:
        if job.output:
            yield {
                "rule": job.rule.name,
                "outputs": [*map(str, job.output)],
                "log": next(map(str, job.log), ""),
                "reason": _reason(dag.reason(job)) if dag.needrun(job) else None,
            }


def _reason(reason: Any) -> dict[str, list[str]]:
    return {
        "newer": sorted(reason.updated_input - reason.updated_input_run),
        "before": sorted(reason.params_changed.only_old),
        "now": sorted(reason.params_changed.only_new),
        "others": [text for flag, text in _FLAGS.items() if getattr(reason, flag)],
    }


if __name__ == "__main__":
    main(sys.argv[1:])
