"""What each stage made of one image, as one array that the page draws; and the image itself."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture

from ssr.config import Config
from ssr.config.coverage import is_evaluated, why_never
from ssr.config.methods import method_config
from ssr.data.images import load_image
from ssr.data.index import Image
from ssr.maps import min_max, upsample
from ssr.results import Arrays, MissingError, Results

_CAMS = ("initial_cam", "aligned_cam", "refined_cam")
_LABELS = ("pseudo_label", "prediction_crf")


def picture(results: Results, image: Image, side: int) -> bytes:
    """A JPEG of the upright image, at most `side` pixels long; 0: of its own size."""
    drawn = Picture.fromarray(load_image(Path(results.config.data.root) / image.image))
    if side:
        drawn.thumbnail((side, side))
    content = io.BytesIO()
    drawn.save(content, "JPEG", quality=90)
    return content.getvalue()


def stage_array(results: Results, image: Image, method: str, stage: str) -> NDArray:
    """The maps of a stage.

    Returns:
        CAMs (K, h, w) float32 in [0, 1] and target masks (K, h, w) uint8 on the patch grid, of the
        classes of the image, but CAMs of another system on their own; superpixels and colour
        regions (H, W) uint16 on the pixels of the grid; label maps (H, W) uint8 on those of the
        image.

    Raises:
        MissingError: no such stage, or it has not run on this image.
    """
    if stage in ("superpixels", "regions"):
        arrays = stored(results, image, method, "superpixels")
        labels = arrays["labels"]
        return labels if stage == "superpixels" else arrays["regions"][labels]
    if stage == "target":
        return _target(results, image, method)
    if stage == "truth":
        return _truth(results, image)
    if stage not in (*_CAMS, *_LABELS, "prediction"):
        raise MissingError(stage, "no stage has this name")
    arrays = stored(results, image, method, stage)
    if stage in _CAMS:
        return min_max(arrays["cams"])
    if "labels" in arrays:
        return arrays["labels"]
    return upsample(arrays["logits"], (image.height, image.width)).argmax(0).astype(np.uint8)


def stored(results: Results, image: Image, method: str, stage: str) -> Arrays:
    """What a stage, one of `ssr.config.coverage.FOLDERS`, stored of an image.

    Raises:
        MissingError: nothing; it says whether there will ever be something.
    """
    try:
        return results[results.name_of(stage, method)][image.id]
    except MissingError:
        raise MissingError(stage, results.why_absent(stage, method, image)) from None


def why_no_target(config: Config, method: str) -> str | None:
    """Why a method has no target masks; None: it has."""
    if reason := why_never(config, method, "refined_cam"):
        return reason
    refinement = method_config(config, method).refinement
    if "none" in (refinement.affinity, refinement.mask):
        return f"method {method} refines without a target mask"
    return None


def _target(results: Results, image: Image, method: str) -> NDArray[np.uint8]:
    from ssr.report.shown import target_mask  # with torch, which the first page need not wait for

    if reason := why_no_target(results.config, method):
        raise MissingError("target", reason)
    if not image.labels:
        raise MissingError("target", "the image has no class")
    settings = method_config(results.config, method)
    start = "aligned_cam" if settings.alignment.enabled else "initial_cam"
    cams = {start: stage_array(results, image, method, start)}
    regions = stage_array(results, image, method, "regions")
    target = target_mask(cams, regions, settings)
    assert target is not None, "the method has a mask, and the image has CAMs"
    return target.astype(np.uint8)


def _truth(results: Results, image: Image) -> NDArray[np.uint8]:
    if not is_evaluated(results.config):
        raise MissingError("truth", "the data set has no masks")
    if image.id not in results.masks.ids:
        raise MissingError("truth", "the image has no mask")
    return results.masks.load(image.id)
