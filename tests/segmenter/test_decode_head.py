import pytest
import torch
import torch.nn.functional as F

from ssr.segmenter.decode_head import ForegroundBackgroundLoss, TransformerFusionHead

LABELS = torch.tensor([[[0, 0, 0, 1], [2, 255, 0, 255]]])


def mean_cross_entropy(logits, labels, chosen):
    return F.cross_entropy(logits[0].flatten(1).T[chosen], labels.flatten()[chosen])


def test_background_and_foreground_are_averaged_separately():
    logits = torch.randn(1, 3, 2, 4)
    background = mean_cross_entropy(logits, LABELS, [0, 1, 2, 6])
    foreground = mean_cross_entropy(logits, LABELS, [3, 4])
    loss = ForegroundBackgroundLoss()(logits, LABELS)
    torch.testing.assert_close(loss, (background + foreground) / 2)


def test_ignored_pixels_have_no_gradient():
    logits = torch.randn(1, 3, 2, 4, requires_grad=True)
    ForegroundBackgroundLoss()(logits, LABELS).backward()
    touched = logits.grad.abs().sum(1) > 0
    assert torch.equal(touched, LABELS != 255)


@pytest.mark.parametrize(("value", "other"), [(0, 1), (1, 0)])
def test_a_part_without_a_pixel_counts_as_zero(value, other):
    logits = torch.randn(1, 3, 2, 4)
    labels = torch.full((1, 2, 4), value)
    loss = ForegroundBackgroundLoss()(logits, labels)
    torch.testing.assert_close(loss, F.cross_entropy(logits, labels) / 2)


def test_an_image_without_labels_has_loss_zero():
    loss = ForegroundBackgroundLoss()(torch.randn(1, 3, 2, 4), torch.full((1, 2, 4), 255))
    assert loss == 0


def make_head(**options):
    return TransformerFusionHead(
        in_channels=[6, 6], channels=8, layers=2, heads=2, num_classes=3, out_channels=3, **options
    )


def test_logits_lie_on_the_patch_grid():
    logits = make_head()([torch.randn(2, 6, 3, 5), torch.randn(2, 6, 3, 5)])
    assert logits.shape == (2, 3, 3, 5)


def test_every_map_and_every_patch_counts():
    torch.manual_seed(0)  # with some weights, no unit of the first layers sees a patch
    head = make_head().eval()
    maps = [torch.randn(1, 6, 3, 5, requires_grad=True) for _ in range(2)]
    head(maps)[0, :, 0, 0].sum().backward()
    # attention lets the corner see all patches of both maps
    assert all((features.grad.abs().sum(1) > 0).all() for features in maps)


def test_dropout_drops_only_in_training():
    head = make_head(dropout_ratio=0.5)
    maps = [torch.randn(1, 6, 3, 5)] * 2
    assert not torch.equal(head.train()(maps), head(maps))
    assert torch.equal(head.eval()(maps), head(maps))
