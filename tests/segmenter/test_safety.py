"""A segmenter's description, or the weights that a config names, from someone one can't trust."""

import json
import logging

import pytest
import torch
from mmengine.runner import CheckpointLoader

from ssr.errors import InputError
from ssr.segmenter.model import check_types, load, model_config
from tests.malice import Payload, assert_works


@pytest.fixture
def trace(tmp_path):
    assert_works(tmp_path / "trace")
    return tmp_path / "trace"


@pytest.mark.parametrize("depth", ["model", "part of the model", "part in a list"])
def test_a_description_that_names_a_program_is_refused_and_not_run(tmp_path, trace, depth):
    program = {"type": "subprocess.Popen", "args": ["mkdir", str(trace)]}
    model = {
        "model": program,
        "part of the model": {"type": "EncoderDecoder", "backbone": program},
        "part in a list": {"type": "EncoderDecoder", "auxiliary_head": [{"norm_cfg": program}]},
    }[depth]
    description = tmp_path / "model.json"
    description.write_text(json.dumps({"classes": [], "model": model}))
    with pytest.raises(InputError, match=r"model\.json: .*came 'subprocess\.Popen'"):
        load(tmp_path / "model.safetensors", description, "cpu")
    assert not trace.exists()


@pytest.mark.parametrize(
    "name",
    ["os.system", "mmengine.utils.package_utils.install_package", "os.EncoderDecoder", 7, None],
)
def test_only_registered_names_are_types(name):
    with pytest.raises(InputError, match="nothing else is built"):
        check_types({"type": name}, "model.json")


def test_registered_names_may_come_with_their_package():
    check_types({"type": "mmseg.EncoderDecoder", "norm_cfg": {"type": "SyncBN"}}, "model.json")


@pytest.mark.parametrize("content", ["[]", "[" * 100_000])
def test_a_description_of_another_form_is_refused(tmp_path, content):
    (tmp_path / "model.json").write_text(content)
    with pytest.raises(InputError, match=r"model\.json"):
        load(tmp_path / "model.safetensors", tmp_path / "model.json", "cpu")


def test_pickles_that_a_config_names_as_weights_are_left_out_and_not_run(
    settings, backbone, library_config, trace, tmp_path, caplog
):
    weights = tmp_path / "weights.pth"
    torch.save({"state_dict": Payload(trace)}, weights)
    path = tmp_path / "tiny.py"
    path.write_text(path.read_text().replace("nowhere/weights.pth", str(weights)))
    settings = settings.model_copy(update={"config": library_config})
    with caplog.at_level(logging.WARNING):
        config = model_config(settings, backbone, 3)
    assert f"pretrained weights {weights} are left out" in caplog.text
    assert "pretrained" not in config
    assert not trace.exists()


@pytest.mark.parametrize("load_pickle", [torch.load, CheckpointLoader.load_checkpoint])
def test_libraries_read_weights_alone_even_where_they_ask_for_more(trace, tmp_path, load_pickle):
    torch.save(Payload(trace), tmp_path / "weights.pth")
    asked = {"weights_only": False} if load_pickle is torch.load else {"map_location": "cpu"}
    with pytest.raises(Exception, match=r"[Ww]eights.only"):
        load_pickle(str(tmp_path / "weights.pth"), **asked)
    assert not trace.exists()
