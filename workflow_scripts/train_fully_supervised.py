"""Images, masks and texts in; a segmenter that is no weakly supervised one out.

The only training that reads masks, those of train: what the others are held against (Table 6).
"""

from __future__ import annotations

from argparse import Namespace

from ssr.data.index import Index
from ssr.data.masks import Masks
from ssr.running.programs import existing, run
from workflow_scripts._train_segmenter import Lessons, segmenter_parser, train_on


def main(arguments: Namespace) -> None:
    """Train on the masks of train."""
    from ssr.segmenter.dataset import learned_from

    masks = Masks.read(arguments.masks, arguments.root)
    missing = "mask, which fully_supervised needs of each"
    images = learned_from(Index.read(arguments.index).split("train"), masks.ids, missing)
    lessons = Lessons(images, masks.load, [arguments.masks])
    train_on(lessons, arguments, "workflow_scripts.train_fully_supervised")


if __name__ == "__main__":
    flags = segmenter_parser(__doc__)
    flags.add_argument("--masks", type=existing, required=True, help="table of the masks")
    run(main, flags)
