"""Do masks show what the labels of their images say? Where they don't, every figure is in doubt.

Masks and labels come apart by a slip: `data.classes` in another order than the masks' indices, one
index used for all classes, or indices that count the objects of an image. They also differ a
little where nothing is wrong: labels are noisy, and small objects have a label but no pixel.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence

from ssr.data.findings import Findings

# With half of VOC's labels wrong, one set of 10 images in 20 would be refused; of 20 images, none.
_FEWEST = 10
_HALF = 0.5
# Cohen's kappa below which two raters agree slightly at most (Landis and Koch, 1977).
_SLIGHT = 0.2
_HINT = "are data.classes in the order of the masks' indices, are these indices of classes?"

Classes = Mapping[str, Collection[int]]
_Images = defaultdict[str, list[str]]


def compare_masks(
    shown: Classes, labels: Classes, names: Sequence[str], findings: Findings
) -> None:
    """Hold the classes that masks show against the labels of their images.

    An image without a label says nothing, nor does one without a mask. A class that a mask shows
    and the labels lack is a warning, by pair with the label that the mask lacks. The other way
    round, where the mask shows nothing in its place, it is a warning of its own.

    It is a problem where masks and labels hardly agree (see `contradict`); an image whose mask
    shows background alone has no vote.

    Args:
        shown: class indices from 1 in the mask of each image that has one.
        labels: class indices of each image, of more images than `shown` perhaps.
        names: of the classes, in the order of their indices.
        findings: takes what differs.
    """
    pairs = [(i, set(own), set(labels[i])) for i, own in shown.items() if labels[i]]
    added: _Images = defaultdict(list)
    missing: _Images = defaultdict(list)
    for image_id, mask, label in pairs:
        lacking = [names[number - 1] for number in sorted(label - mask)]
        for number in sorted(mask - label):
            for place in [f" in place of {name}" for name in lacking] or [""]:
                added[names[number - 1] + place].append(image_id)
        for name in lacking if mask <= label else ():
            missing[name].append(image_id)
    kind, report = "class that masks show and labels lack", findings.warning
    if contradict([(mask, label) for _, mask, label in pairs if mask]):
        kind, report = f"{kind}, so that hardly a mask fits its labels ({_HINT})", findings.problem
    _report(report, kind, added, len(pairs))
    _report(findings.warning, "class that labels name and masks lack", missing, len(pairs))


def contradict(pairs: Sequence[tuple[set[int], set[int]]]) -> bool:
    """Whether masks and labels, two sets of classes per image, hardly agree.

    They do if they share fewer than half of the classes that they could, and hardly more than if
    each mask had been laid on another image: (shared - chance) / (possible - chance), which is
    Cohen's kappa, is below 0.2. So labels may be noisy, or name one class of many, and one class
    may be nearly everywhere. Of fewer than 10 images nothing is said.
    """
    masks = Counter(number for mask, _ in pairs for number in mask)
    labels = Counter(number for _, label in pairs for number in label)
    shared = sum(len(mask & label) for mask, label in pairs)
    possible = min(masks.total(), labels.total())
    if len(pairs) < _FEWEST or shared >= _HALF * possible:
        return False
    chance = sum(count * labels[number] for number, count in masks.items()) / len(pairs)
    return shared - chance < _SLIGHT * (possible - chance)


def _report(report: Callable[[str, str], None], kind: str, found: _Images, total: int) -> None:
    """Report what was found in which images, the most frequent first."""
    differing = len({image_id for ids in found.values() for image_id in ids})
    for what, ids in sorted(found.items(), key=lambda item: -len(item[1])):
        report(
            f"{kind}, in {differing} of {total} images", f"{what} ({len(ids)}, such as {ids[0]})"
        )
