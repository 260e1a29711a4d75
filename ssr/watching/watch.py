"""Snakemake's events, handed to the journal and to the terminal.

A handler of Snakemake's logger gets every event as an object, as one of its logger plugins does. A
plugin would have to be named on the command line or in a profile, and is not found in a package
that was installed for editing; the Snakefile adds this handler to every run.
"""

from __future__ import annotations

import logging
import os
import re
import signal
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from snakemake_interface_logger_plugins.common import LogEvent

from ssr.running.claims import Run
from ssr.watching.costs import Costs
from ssr.watching.jobs import Job, jobs_to_run
from ssr.watching.journal import Journal, unfinished
from ssr.watching.terminal import Terminal

# What Snakemake prints before the first job that the terminal tells in other words.
_SAID_ELSEWHERE = {LogEvent.RUN_INFO, LogEvent.RESOURCES_INFO, LogEvent.WORKFLOW_STARTED}
_STREAM = "DefaultStreamHandler"
_LIMIT_OF_NOBODY = (100, 1)
"""Jobs and seconds of --max-jobs-per-timespan where it is not given."""
# Snakemake repeats the whole command of a rule.
_COMMAND_FAILED = re.compile(
    r"CalledProcessError .* returned non-zero exit status (\d+)", re.DOTALL
)


def is_shown(workflow: Any) -> bool:
    """Whether a run is shown in our words: it runs jobs, and nobody asked Snakemake for its own."""
    settings = workflow.output_settings
    asked = (settings.verbose, settings.printshellcmds, settings.debug_dag, settings.quiet)
    return workflow.is_main_process and not (
        settings.dryrun or any(asked) or settings.log_handler_settings
    )


def hush(workflow: Any) -> None:
    """Keep Snakemake's tables, of what it is going to do, in its log alone."""
    for handler in _streams(workflow):
        handler.addFilter(lambda record: getattr(record, "event", None) not in _SAID_ELSEWHERE)


def remake_unfinished(workflow: Any, results: Path) -> None:
    """Let Snakemake, about to plan, remake what an earlier run began to remake and did not end.

    It deletes the outputs of a job before the job begins, and those of one that fails. Where what
    rests on them is there, made by other settings, it would find nothing to be done.
    """

    def force() -> None:
        if not workflow.touch:
            workflow.dag.forcefiles.update(unfinished(results))

    _before_planning(workflow, force)


def ask_behind_ancient(workflow: Any) -> None:
    """Let Snakemake, about to plan, ask a job behind an ancient input for reasons of its own.

    It asks none behind a job that is to run, as they run with it; and then leaves out those that
    take nothing but ancient files from it, whatever changed among their parameters.
    """

    def leave_out_ancient() -> None:
        dag = workflow.dag
        update = dag.update_needrun

        async def update_needrun(*arguments: Any, **options: Any) -> None:
            depending, dag.depending = dag.depending, _Dated(dag.depending)
            try:
                await update(*arguments, **options)
            finally:
                dag.depending = depending

        dag.update_needrun = update_needrun

    _before_planning(workflow, leave_out_ancient)


def watch(workflow: Any, results: Path, run: Run, expected: Callable[[Any], float]) -> None:
    """Keep the journal of a run below `results`, and show it, from its start to its end.

    Args:
        workflow: Snakemake's, about to run its jobs.
        results: the folder that `run` has claimed.
        run: this process.
        expected: the seconds on one core that a job of Snakemake's may take.
    """
    jobs = jobs_to_run(workflow.dag, expected)
    watchers: list[Journal | Terminal] = [Journal(results, run, jobs)]
    logger = workflow.logger_manager.logger
    if is_shown(workflow):
        settings = workflow.resource_settings
        slots = settings.cores if workflow.local_exec else settings.nodes
        log = ", ".join(map(os.path.relpath, workflow.logger_manager.get_logfile()))
        watchers.append(Terminal(jobs, Costs(jobs, slots, threaded=workflow.local_exec), log))
        for handler in _streams(workflow):
            logger.removeHandler(handler)
    handler = _Handler(jobs, watchers)
    logger.addHandler(handler)
    signal.signal(signal.SIGINT, handler.interrupt)


def choose_when_jobs_end(workflow: Any) -> None:
    """Let Snakemake, about to run jobs, choose the next ones when one ends, and not time and again.

    Where jobs a second are limited, each choice sets a timer that leads to another: the more jobs
    have ended, the more often all that could run is looked at. A limit that was asked for stays.
    """
    limiter = workflow.scheduler.job_rate_limiter
    if limiter and (limiter.max_jobs, limiter.timespan) == _LIMIT_OF_NOBODY:
        workflow.scheduler.job_rate_limiter = None


def settle(workflow: Any) -> None:
    """After Ctrl-C, let Snakemake record the jobs that have ended, and clear away the others.

    It leaves that to the next run, which then asks for --rerun-incomplete. Jobs on a cluster are
    left to it.
    """
    scheduler = workflow.scheduler
    if workflow.local_exec:
        with scheduler._lock:
            scheduler._finish_jobs()
        for job in list(scheduler.running):
            workflow.async_run(job.postprocess(error=True))


def _before_planning(workflow: Any, prepare: Callable[[], None]) -> None:
    """Let Snakemake, once it knows its settings, prepare its plan so before it makes it."""
    plan = workflow._build_dag

    def prepared() -> None:
        prepare()
        plan()

    workflow._build_dag = prepared


def _streams(workflow: Any) -> list[logging.Handler]:
    """Snakemake's own handler for the terminal, if no plugin stands in its place."""
    return [each for each in workflow.logger_manager.logger.handlers if each.name == _STREAM]


class _Dated:
    """Which jobs take files of a job whose date counts, of a mapping from it to those of each."""

    def __init__(self, depending: Any) -> None:
        self._depending = depending

    def __getitem__(self, job: Any) -> dict[Any, Any]:
        taken = self._depending[job].items()
        return {other: own for other, own in taken if not all(file.is_ancient for file in own)}


class _Handler(logging.Handler):
    """Hands events on, from whichever thread logs them."""

    def __init__(self, jobs: Collection[Job], watchers: Collection[Journal | Terminal]) -> None:
        super().__init__()
        self._jobs = {job.number: job for job in jobs}
        self._watchers = watchers
        self._interrupted = self._closed_before = False

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._hand_on(record, record.__dict__)
        except Exception:
            self.handleError(record)

    def interrupt(self, number: int, frame: Any) -> None:
        """SIGINT reaches jobs, too: how they end now is no failure of theirs."""
        try:
            if not self._interrupted:
                self._interrupted = True
                for watcher in self._watchers:
                    watcher.interrupted()
        finally:  # the signal may have come amid a write to the same stream
            signal.default_int_handler(number, frame)

    def close(self) -> None:
        if not self._closed_before:
            self._closed_before = True
            for watcher in self._watchers:
                watcher.ended()
        super().close()

    def _hand_on(self, record: logging.LogRecord, values: dict[str, Any]) -> None:
        event = values.get("event")
        for watcher in () if self._interrupted else self._watchers:
            if event == LogEvent.JOB_INFO and (job := self._jobs.get(values["jobid"])):
                watcher.started(job)
            elif event == LogEvent.JOB_FINISHED and (job := self._jobs.get(values["job_id"])):
                watcher.finished(job)
            elif event == LogEvent.JOB_ERROR and (job := self._jobs.get(values["jobid"])):
                watcher.failed(job, values["rule_msg"] or "", values["log"])
            elif event == LogEvent.GROUP_ERROR and values["aux_logs"]:
                watcher.told(f"{record.getMessage()}, log: {', '.join(values['aux_logs'])}")
            elif record.levelno >= logging.WARNING and event in (None, LogEvent.ERROR):
                watcher.told(_short(record))


def _short(record: logging.LogRecord) -> str:
    text = record.getMessage()
    failed = _COMMAND_FAILED.search(text)
    return f"a command ended with exit status {failed[1]}" if failed else text
