"""`ssr compare`: methods of several runs side by side, and in what their figures differ.

In: folders of results, with the configuration, the evaluations and the counts of each image that
their runs have left there.
Out: a table and a chart of one stage, paired where images agree; how protocols differ, in words.
"""

__all__ = ["command"]
