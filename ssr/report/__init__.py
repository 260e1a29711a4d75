"""A page of pictures, curves and tables for a finished run, and its figures as files for a paper.

In: evaluations, a few images with what every stage made of them, histories of trainings.
Out: report/index.html, which needs nothing else; figures as PDF, SVG and PNG, tables as CSV,
Markdown and LaTeX.
"""

__all__ = [
    "benchmarks",
    "charts",
    "curves",
    "dag",
    "embedding",
    "evaluations",
    "features",
    "figures",
    "files",
    "histories",
    "look",
    "page",
    "provenance",
    "sheet",
    "shown",
    "stages",
    "tables",
]
