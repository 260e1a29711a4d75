"""Whether a results folder is sound, and how far it is: `ssr doctor` and `ssr status`.

In: a results folder, Snakemake's dry run and its records.
Out: findings, each with the command that mends it; counts of jobs for every rule. Nothing is
changed.
"""

__all__ = ["diagnosis", "status"]
