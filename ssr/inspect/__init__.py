"""`ssr inspect`: a small web page, served from this machine to this machine, that shows results.

In: a results folder, finished or not.
Out: a gallery of all images, every stage of one of them, the affinity of a patch, the prototypes.
"""

__all__ = ["command", "server"]
