import pytest
import torch

from ssr.backbones.features import clip_features
from ssr.backbones.last_block import patches_of_image
from ssr.backbones.networks import load_clip
from ssr.errors import InputError
from ssr.segmenter.clip_backbone import FrozenCLIP


def test_maps_are_the_patch_tokens_of_the_blocks(backbone):
    """open_clip's own intermediates, at the size it was built for, are the reference."""
    pixels = torch.randn(2, 3, 32, 32)
    visual = load_clip(backbone, "cpu").visual
    expected = visual.forward_intermediates(pixels, [0, 1], intermediates_only=True)
    maps = FrozenCLIP(backbone.model_dump(), "all_but_last")(pixels)
    assert len(maps) == 2  # of three blocks
    for got, wanted in zip(maps, expected["image_intermediates"], strict=True):
        torch.testing.assert_close(got, wanted)


def test_maps_follow_the_shape_of_the_image(backbone):
    maps = FrozenCLIP(backbone.model_dump(), blocks=[2, 0])(torch.randn(1, 3, 24, 40))
    assert [tuple(features.shape) for features in maps] == [(1, 32, 3, 5)] * 2
    first = FrozenCLIP(backbone.model_dump(), blocks=[0])
    torch.manual_seed(0)
    pixels = torch.randn(1, 3, 24, 40)
    both = FrozenCLIP(backbone.model_dump(), blocks=[2, 0])(pixels)
    torch.testing.assert_close(both[1], first(pixels)[0])


def test_the_joint_space_is_where_clip_compares_patches_with_texts(backbone):
    pixels = torch.randn(2, 3, 24, 40)
    model = FrozenCLIP(backbone.model_dump(), blocks=[1], joint_space=True)
    first, joint = model(pixels)
    clip = load_clip(backbone, "cpu")
    entering = clip_features(clip, pixels, 1).tokens
    patches = torch.stack([patches_of_image(clip, tokens) for tokens in entering])
    torch.testing.assert_close(joint, patches.mT.unflatten(2, (3, 5)))
    assert (first.shape[1], joint.shape[1]) == (model.width, model.joint_width)


def test_nothing_reaches_clip_but_its_device(backbone):
    model = FrozenCLIP(backbone.model_dump()).train()
    network = model._outside[0]
    assert list(model.parameters()) == []
    assert model.state_dict() == {}
    assert not network.training
    features = model(torch.randn(1, 3, 32, 32, requires_grad=True))
    assert not any(each.requires_grad for each in features)
    model.to(torch.float64)
    assert network.visual.conv1.weight.dtype == torch.float64


@pytest.mark.parametrize("blocks", [[], [3], [-1]])
def test_blocks_that_clip_has_not_are_refused(backbone, blocks):
    with pytest.raises(InputError, match=r"segmenter\.blocks: allowed are 0 to 2"):
        FrozenCLIP(backbone.model_dump(), blocks)
