"""Images, pseudo-labels and texts in; a segmenter out, continued from its newest checkpoint."""

from __future__ import annotations

from argparse import Namespace

from ssr.data.index import Index
from ssr.data.pngs import open_pngs
from ssr.running.programs import existing, run
from workflow_scripts._train_segmenter import Lessons, segmenter_parser, train_on


def main(arguments: Namespace) -> None:
    """Train on the pseudo-labels of train."""
    from ssr.segmenter.dataset import learned_from

    labels = open_pngs(arguments.labels)
    missing = "pseudo-label, which rule label_pixels makes"
    images = learned_from(Index.read(arguments.index).split("train"), labels, missing)
    lessons = Lessons(images, labels.read, arguments.labels)
    train_on(lessons, arguments, "workflow_scripts.train_segmenter")


if __name__ == "__main__":
    flags = segmenter_parser(__doc__)
    flags.add_argument("--labels", type=existing, nargs="+", required=True)
    run(main, flags)
