"""What each stage made of one image, as one array that the page draws; and the image itself."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture

from ssr.config.settings import method_config
from ssr.data.images import load_image
from ssr.data.index import Image
from ssr.maps import min_max, upsample
from ssr.results import MissingError, Results

_CAMS = {"initial_cam": "initial", "aligned_cam": "aligned", "refined_cam": "refined"}
_LABELS = {"pseudo_label": "pseudo_labels", "prediction_crf": "predictions"}


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
        classes of the image; superpixels and colour regions (H, W) uint16 on the pixels of the
        grid; label maps (H, W) uint8 on those of the image.

    Raises:
        MissingError: no such stage, or it has not run on this image.
    """
    if stage in _CAMS:
        return _cams(results, image, method, stage)
    if stage in _LABELS:
        return results[f"{_LABELS[stage]}/{method}"][image.id]["labels"]
    if stage == "prediction":
        logits = results[f"logits/{method}"][image.id]["logits"]
        return upsample(logits, (image.height, image.width)).argmax(0).astype(np.uint8)
    if stage in ("superpixels", "regions"):
        arrays = results["superpixels"][image.id]
        labels = arrays["labels"]
        return labels if stage == "superpixels" else arrays["regions"][labels]
    if stage == "target":
        return _target(results, image, method)
    if stage == "truth":
        return _truth(results, image)
    raise MissingError(f"no stage is named {stage}")


def _cams(results: Results, image: Image, method: str, stage: str) -> NDArray[np.float32]:
    shared = stage == "initial_cam"
    name = f"cams/{_CAMS[stage]}" if shared else f"cams/{_CAMS[stage]}/{method}"
    return min_max(results[name][image.id]["cams"])


def _target(results: Results, image: Image, method: str) -> NDArray[np.uint8]:
    from ssr.report.shown import target_mask  # with torch, which the first page need not wait for

    settings = method_config(results.config, method)
    start = "aligned_cam" if settings.alignment.enabled else "initial_cam"
    cams = {start: _cams(results, image, method, start)}
    regions = stage_array(results, image, method, "regions")
    target = target_mask(cams, regions, settings.refinement)
    if target is None:
        raise MissingError(f"method {method} refines without a target mask")
    return target.astype(np.uint8)


def _truth(results: Results, image: Image) -> NDArray[np.uint8]:
    if results.config.data.masks is None or image.id not in results.masks.ids:
        raise MissingError(f"image {image.id} has no mask")
    return results.masks.load(image.id)
