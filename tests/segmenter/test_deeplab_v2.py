"""DeepLabV2's head, held against its formula."""

import torch
import torch.nn.functional as F

from ssr.segmenter.deeplab_v2 import DeepLabV2Head


def test_logits_are_the_sum_of_atrous_classifiers_of_the_last_map() -> None:
    head = DeepLabV2Head(
        [1, 3], in_channels=4, channels=4, in_index=1, num_classes=3, dropout_ratio=0
    )
    maps = [torch.randn(2, 4, 8, 8), torch.randn(2, 4, 5, 6)]
    expected = sum(
        F.conv2d(maps[1], one.weight, one.bias, padding=step, dilation=step)
        for one, step in zip(head.conv_seg, (1, 3), strict=True)
    )
    torch.testing.assert_close(head(maps), expected)
    assert head(maps).shape == (2, 3, 5, 6)
