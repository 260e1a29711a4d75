"""Names of what the procedural world contains; masks store 0 background, index into CLASSES + 1."""

CLASSES: tuple[str, ...] = (
    "aeroplane",
    "bird",
    "boat",
    "bottle",
    "bus",
    "car",
    "chair",
    "cow",
    "horse",
    "sofa",
)
STUFF: tuple[str, ...] = ("sky", "water", "grass", "sand", "road", "wall", "floor")
IGNORED = 255
SIDE = 112
