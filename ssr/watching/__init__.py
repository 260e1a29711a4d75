"""A run of Snakemake while it goes on: its journal, and what the terminal shows of it.

In: the jobs of Snakemake's DAG and the events that it logs, as objects.
Out: a journal of JSON lines below results/{dataset}/logs/runs/, and what it tells of a job; lines
for people on stderr.
"""

__all__ = ["journal", "states", "watch"]
