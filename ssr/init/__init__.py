"""`ssr init`: from a folder of photographs to the file of settings with which it is run.

In: a folder, as it lies or as an annotation tool has exported it; or a file of settings to check.
Out: labels.csv and links where they are missing, one commented file of settings; what is wrong or
doubtful, hours and disk, and the next command. Nothing that is there is changed.

And `ssr import`: masks that an annotation tool has exported, brought back as masks/.
"""

__all__ = ["command", "corrected", "costs"]
