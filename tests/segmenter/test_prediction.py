import numpy as np
import pytest
import torch
import torch.nn.functional as F

from ssr.backbones.networks import normalise_pixels
from ssr.config import Prediction
from ssr.data.images import CLIP_MEAN, CLIP_STD
from ssr.segmenter.model import build, model_config
from ssr.segmenter.prediction import predict

PLAIN = Prediction(stride=8, scales=(1.0,), flip=False)


@pytest.fixture
def model(settings, backbone):
    torch.manual_seed(0)
    return build(model_config(settings, backbone, 3)).eval()


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(0, 256, (32, 48, 3), np.uint8)


def test_one_scale_without_mirroring_is_the_plain_forward_pass(model, image):
    channels = torch.from_numpy(image).permute(2, 0, 1)[None] / 255
    pixels = normalise_pixels(channels, CLIP_MEAN, CLIP_STD)
    with torch.no_grad():
        expected = model(pixels, mode="tensor")[0].numpy()
    np.testing.assert_allclose(predict(model, image, PLAIN), expected, atol=1e-4)


def test_with_mirroring_the_mirrored_image_has_mirrored_logits(model, image):
    settings = PLAIN.model_copy(update={"flip": True, "scales": (1.0, 0.75)})
    mirrored = predict(model, image[:, ::-1].copy(), settings)
    np.testing.assert_allclose(mirrored, predict(model, image, settings)[..., ::-1], atol=1e-4)
    assert not np.allclose(mirrored, predict(model, image, settings), atol=1e-3)


def test_scales_are_averaged(model, image):
    parts = [
        predict(model, image, PLAIN.model_copy(update={"scales": (scale,)})) for scale in (1.0, 0.5)
    ]
    both = predict(model, image, PLAIN.model_copy(update={"scales": (1.0, 0.5)}))
    np.testing.assert_allclose(both, np.mean(parts, axis=0), atol=1e-5)


@pytest.mark.parametrize(
    ("size", "options", "grid"),
    [
        ((32, 48), {}, (4, 6)),
        ((33, 41), {}, (5, 6)),
        ((33, 41), {"stride": 16}, (3, 3)),
        ((64, 96), {"max_side": 48}, (4, 6)),
    ],
)
def test_the_grid_covers_the_image(model, size, options, grid):
    image = np.zeros((*size, 3), np.uint8)
    settings = PLAIN.model_copy(update={"flip": True, "scales": (1.0, 0.75)} | options)
    logits = predict(model, image, settings)
    assert logits.shape == (3, *grid)
    assert logits.dtype == np.float32


def test_a_library_model_predicts_on_the_grid(settings, backbone, library_config, image):
    config = model_config(settings.model_copy(update={"config": library_config}), backbone, 3)
    model = build(config).eval()
    logits = predict(model, image, PLAIN.model_copy(update={"stride": 16}))
    assert logits.shape == (3, 2, 3)
    with torch.no_grad():
        full = model(torch.from_numpy(image.transpose(2, 0, 1).copy())[None] / 255.0, mode="tensor")
    expected = F.interpolate(full, (2, 3), mode="bilinear", antialias=True)[0].numpy()
    np.testing.assert_allclose(logits, expected, atol=1e-4)
