import pytest

from ssr.segmenter.model import build, model_config
from ssr.segmenter.optimisation import make_optimiser, rate_factor


def test_the_rate_warms_up_and_decays_to_zero(settings):
    settings = settings.model_copy(update={"iterations": 100, "warmup": 10, "power": 2.0})
    rates = [rate_factor(iteration, settings) for iteration in range(101)]
    assert rates[0] == pytest.approx(1 / 11)
    assert max(rates) == rates[9] == pytest.approx(10 / 11)
    assert rates[10] == pytest.approx(0.9**2)
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[100] == 0


def test_the_decoder_learns_faster(settings, backbone, library_config):
    settings = settings.model_copy(update={"config": library_config})
    model = build(model_config(settings, backbone, 3))
    rates = {
        id(parameter): group["base_lr"]
        for group in make_optimiser(model, settings).param_groups
        for parameter in group["params"]
    }
    for name, parameter in model.named_parameters():
        multiplier = 10 if "head" in name else 1
        assert rates[id(parameter)] == pytest.approx(2e-4 * multiplier), name
