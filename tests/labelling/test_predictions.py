import numpy as np

from ssr.config import Crf
from ssr.labelling.predictions import given_labels, refine_logits, softmax
from ssr.maps import upsample


def test_softmax_sums_to_one_and_survives_large_logits() -> None:
    logits = np.array([[[1000.0, 0]], [[999, 0]], [[-1000, 0]]], np.float32)
    result = softmax(logits)
    np.testing.assert_allclose(result.sum(axis=0), 1, atol=1e-6)
    np.testing.assert_allclose(result[:, 0, 0], [1 / (1 + np.e**-1), 1 / (1 + np.e), 0], rtol=1e-5)
    np.testing.assert_allclose(result[:, 0, 1], 1 / 3, rtol=1e-6)


def test_coarse_logits_snap_to_the_edge_in_the_image() -> None:
    image = np.full((24, 32, 3), 40, np.uint8)
    image[:, 10:] = 200
    logits = np.full((4, 6, 8), -9, np.float16)
    logits[[0, 2]] = 0
    logits[0, :, :3] = 2
    logits[2, :, 3:] = 2  # from column 12 on
    before = upsample(logits, (24, 32)).argmax(axis=0)
    labels = refine_logits(image, logits, Crf())
    assert (before[:, 10] == 0).all(), "the CRF has nothing to correct"
    assert labels.dtype == np.uint8
    np.testing.assert_array_equal(labels, np.where(np.arange(32) < 10, 0, 2)[None].repeat(24, 0))


def test_probabilities_given_the_labels_of_an_image_leave_out_all_other_classes() -> None:
    logits = np.random.default_rng(0).normal(0, 5, (6, 3, 4)).astype(np.float16)
    found = given_labels(logits, (5, 2))
    everything = softmax(logits.astype(np.float32))
    share = everything[[5, 2]] / everything[[0, 2, 5]].sum(0)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, share, rtol=1e-5)
    assert given_labels(logits, ()).shape == (0, 3, 4)
