"""Values of the pixels in label maps: masks, pseudo-labels, predictions."""

BACKGROUND = 0
"""No foreground class; those count from 1."""
IGNORE = 255
"""Unknown in a mask, abstained from in a pseudo-label."""
