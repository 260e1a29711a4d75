import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ssr.config.settings import recorded
from ssr.errors import InputError
from ssr.labelling.predictions import refine_logits
from ssr.predict.segmenter import TrainedSegmenter, open_segmenter
from ssr.results import open_results
from tests.untrained_run import noise

IMAGE = noise(40, 96)


@pytest.fixture
def segmenter(results: Path) -> TrainedSegmenter:
    return open_segmenter(results, recorded(results))


def test_tiles_are_of_the_patches_of_its_method(results: Path) -> None:
    given = recorded(results)
    small = {"ssr": {"images": {"patch": given.images.patch // 2}}}
    own = open_segmenter(results, given.model_copy(update={"methods": small}))
    assert own.patch == given.images.patch // 2


class Bright(TrainedSegmenter):
    """Class 1 where an image is bright, whatever lies around."""

    def logits(self, image: np.ndarray) -> np.ndarray:
        bright = image.mean(-1, dtype=np.float32) - 128
        return np.stack([-bright, bright])


def test_probabilities_are_of_the_pixels_and_the_labels_those_that_are_largest(
    segmenter: TrainedSegmenter,
) -> None:
    found = segmenter(IMAGE)
    assert found.probabilities.shape == (3, 40, 96)
    np.testing.assert_allclose(found.probabilities.sum(0), 1, atol=1e-5)
    np.testing.assert_array_equal(found.labels, found.probabilities.argmax(0))
    assert len(np.unique(found.labels)) > 1
    np.testing.assert_array_equal(segmenter.label(IMAGE), found.labels)


def test_with_crf_it_says_what_the_pipeline_says(segmenter: TrainedSegmenter) -> None:
    expected = refine_logits(IMAGE, segmenter.logits(IMAGE), segmenter.crf)
    np.testing.assert_array_equal(segmenter(IMAGE, crf=True).labels, expected)
    np.testing.assert_array_equal(segmenter.label(IMAGE, crf=True), expected)
    assert (expected != segmenter(IMAGE).labels).any()


@pytest.mark.parametrize("side", [16, 40, 95])
def test_tiles_change_nothing_where_only_the_pixel_counts(
    segmenter: TrainedSegmenter, side: int
) -> None:
    bright = Bright(**vars(replace(segmenter)))
    np.testing.assert_array_equal(bright.label(IMAGE, side=side), bright.label(IMAGE))


def test_the_files_of_clip_are_found_from_anywhere(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    segmenter = open_results(results).segmenter("ssr", device="cpu")
    assert segmenter.classes == ("background", "cat", "dog")
    assert segmenter(IMAGE).labels.shape == (40, 96)


def test_a_method_without_a_segmenter_is_told_which_have_one(results: Path) -> None:
    with pytest.raises(InputError, match=r"^method clip trains no segmenter; allowed: ssr$"):
        open_segmenter(results, recorded(results), "clip")


@pytest.mark.parametrize(
    "image", [IMAGE[..., 0], IMAGE.astype(float), IMAGE[:0], np.dstack([IMAGE, IMAGE]), "cat.png"]
)
def test_what_is_no_image_is_refused_in_words(segmenter: TrainedSegmenter, image: object) -> None:
    with pytest.raises(InputError, match=r"^an image is an array of uint8 \(H, W, 3\), RGB; came"):
        segmenter(image)


def test_tiles_have_room_for_a_logit(segmenter: TrainedSegmenter) -> None:
    with pytest.raises(InputError, match="at least the stride 8; came -5"):
        segmenter.label(IMAGE, side=-5)


def test_tiles_are_of_48_patches_at_the_largest_scale(segmenter: TrainedSegmenter) -> None:
    assert segmenter.side == 48 * 8 / 1.5
    capped = segmenter.settings.model_copy(update={"max_side": 100})
    assert replace(segmenter, settings=capped).side is None


def test_classes_are_those_of_the_training(results: Path) -> None:
    config = recorded(results)
    renamed = config.model_copy(update={"data": config.data.model_copy(update={"classes": ("x",)})})
    assert open_segmenter(results, renamed).classes == ("background", "cat", "dog")


def test_other_weights_of_clip_are_another_segmenter(results: Path, tmp_path: Path) -> None:
    copy = tmp_path / "clone"
    shutil.copytree(results.parent.parent, copy, symlinks=True)
    found = open_segmenter(copy / "results/small", recorded(results))
    before = found.identity
    assert before == open_segmenter(results, recorded(results)).identity
    (copy / "clip_tok.json").write_text((copy / "clip_tok.json").read_text() + " ")
    assert replace(found).identity != before
    (copy / "clip_tok.json").unlink()
    with pytest.raises(InputError, match=r"clip_tok\.json: not there; the segmenter needs it"):
        replace(found).identity  # noqa: B018


def test_a_training_that_has_not_ended_is_named(results: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"segmenter/ssr/model\.safetensors: not there; snakemake"):
        open_segmenter(tmp_path, recorded(results))
