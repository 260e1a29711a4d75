"""A tiny data set in COCO's layout: polygons, run lengths, crowds, overlaps, no annotation."""

import json
from pathlib import Path

import numpy as np
from PIL import Image
from pycocotools import mask as rle

CLASSES = ("person", "motorbike", "cup")
# As in COCO, ids have gaps, and the file need not list them in order.
CATEGORIES = {1: "person", 4: "motorcycle", 47: "cup"}
SIZE = (40, 50)  # height, width


def polygon(left: float, top: float, right: float, bottom: float) -> list[float]:
    return [left, top, right, top, right, bottom, left, bottom]


def pixels(rows: slice, columns: slice) -> np.ndarray:
    mask = np.zeros(SIZE, np.uint8, order="F")
    mask[rows, columns] = 1
    return mask


def counts(mask: np.ndarray) -> dict:
    """Uncompressed run lengths, as COCO has them for crowds."""
    flat = mask.ravel(order="F")
    edges = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff([0, *edges, flat.size]).tolist()
    return {"size": list(SIZE), "counts": [0, *runs] if flat[0] else runs}


def compressed(mask: np.ndarray) -> dict:
    encoded = rle.encode(mask)
    return {"size": list(SIZE), "counts": encoded["counts"].decode()}


def annotation(category: int, outline, crowd: int = 0) -> dict:
    return {"category_id": category, "segmentation": outline, "iscrowd": crowd}


# What each image shows, by its number.
SHOWN = {
    1: [  # A small cup before a large person, listed first and last: it is seen in both.
        annotation(47, [polygon(12, 12, 20.5, 19.2)]),
        annotation(1, [polygon(2, 3, 40, 36)]),
        annotation(47, [polygon(30, 30, 34, 34), polygon(4, 30, 8, 33)]),
    ],
    2: [  # A crowd of persons behind one motorbike of compressed run lengths.
        annotation(1, counts(pixels(slice(0, 30), slice(5, 45))), crowd=1),
        annotation(4, compressed(pixels(slice(20, 28), slice(30, 50)))),
    ],
    3: [],
    4: [annotation(4, counts(pixels(slice(0, 40), slice(0, 20))), crowd=1)],
    5: [  # Equally large: the later one is seen.
        annotation(1, [polygon(10, 10, 30, 30)]),
        annotation(4, [polygon(20, 10, 40, 30)]),
    ],
}
LABELS = {1: (0, 2), 2: (0, 1), 3: (), 4: (1,), 5: (0, 1)}


def image_id(folder: str, number: int) -> str:
    return f"COCO_{folder}_{number:012d}"


def instances(folder: str, shown: dict[int, list[dict]]) -> dict:
    images = [
        {"id": n, "file_name": f"{image_id(folder, n)}.jpg", "height": SIZE[0], "width": SIZE[1]}
        for n in sorted(shown, reverse=True)
    ]
    annotations = [
        {"id": 100 * n + position, "image_id": n, "area": 1.0, "bbox": [0, 0, 1, 1], **own}
        for n, owns in shown.items()
        for position, own in enumerate(owns)
    ]
    categories = [{"id": n, "name": name} for n, name in reversed(CATEGORIES.items())]
    return {"images": images, "annotations": annotations, "categories": categories}


def write_coco(root: Path) -> Path:
    """train2014 holds images 1 to 5, val2014 images 1 and 2."""
    (root / "annotations").mkdir(parents=True)
    for folder, shown in (("train2014", SHOWN), ("val2014", {n: SHOWN[n] for n in (1, 2)})):
        (root / folder).mkdir()
        for number in shown:
            Image.new("RGB", SIZE[::-1]).save(root / folder / f"{image_id(folder, number)}.jpg")
        content = json.dumps(instances(folder, shown))
        (root / "annotations" / f"instances_{folder}.json").write_text(content)
    return root
