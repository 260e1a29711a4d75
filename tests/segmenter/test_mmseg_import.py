import sys
from importlib.util import find_spec
from types import ModuleType

import pytest

from ssr.errors import InputError
from ssr.segmenter.mmseg_import import COMPILED, MODELS, compiled_operators

lite = pytest.mark.skipif(find_spec(COMPILED) is not None, reason="full mmcv is installed")


def test_mmsegmentation_offers_its_models():
    assert MODELS.get("SegformerHead") is not None


@lite
def test_the_placeholder_is_gone_after_the_import():
    assert COMPILED not in sys.modules


@lite
def test_the_placeholder_is_gone_after_an_error():
    def fail():
        with compiled_operators():
            assert COMPILED in sys.modules
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert COMPILED not in sys.modules


def test_full_mmcv_is_left_alone(monkeypatch):
    full = ModuleType(COMPILED)
    monkeypatch.setitem(sys.modules, COMPILED, full)
    with compiled_operators():
        assert sys.modules[COMPILED] is full
    assert sys.modules[COMPILED] is full


@lite
def test_calling_a_compiled_operator_says_what_is_missing():
    with compiled_operators():
        operator = sys.modules[COMPILED].deform_conv_forward
    with pytest.raises(InputError, match=r"compiled operator deform_conv_forward.*full mmcv"):
        operator(1, stride=2)
