"""A configuration whose names and texts are chosen to become paths, flags or commands."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from ssr.config.settings import parse_config
from ssr.data.index import Index
from ssr.errors import InputError
from tests.workflow.conftest import in_folder, workflow_in


@pytest.mark.parametrize(
    "name", ["../up", "/tmp/up", "a/b", "..", "-rf", "a\n", "a\0", "ä", "a" * 101]
)
def test_no_name_of_a_run_or_a_method_becomes_another_folder(name):
    with pytest.raises(InputError, match="dataset"):
        parse_config({"dataset": name})
    with pytest.raises(InputError, match="methods"):
        parse_config({"methods": {"ssr": {}, name: {}}})
    with pytest.raises(InputError, match="segmenter_methods"):
        parse_config({"segmenter_methods": [name]})


TEXTS = {
    "flag": "--output=/tmp/up",
    "wildcard": "{shard}",
    "wildcard with a pattern": "{x,.*}",
    "half a wildcard": "{x,",
    "line break": "cat\ndog",
    "NUL": "cat\0",
    "escape sequence": "\x1b[2Jcat",
    "writing from right to left": "\u202ecat",
}


@pytest.mark.parametrize("what", TEXTS)
def test_no_text_becomes_a_flag_or_a_wildcard(what):
    text = TEXTS[what]
    for values, key in (
        ({"data": {"classes": ["cow", text]}}, "data.classes"),
        ({"data": {"root": text}}, "data.root"),
        ({"data": {"splits": {"train": text}}}, "data.splits.train"),
        ({"text": {"templates": [f"{text} {{}}"]}}, "text.templates"),
        ({"text": {"prompts": {"cow": text}}}, "text.prompts.cow"),
        ({"text": {"prompts": {text: "cow"}}}, "text.prompts"),
        ({"segmenter": {"config": text}}, "segmenter.config"),
        ({"methods": {"ssr": {"segmenter": {"config": text}}}}, "methods.ssr.segmenter.config"),
    ):
        with pytest.raises(InputError, match=f"{key}: a text has printable characters") as error:
            parse_config(values)
        assert text not in str(error.value) or text.isprintable()


COMMANDS = [
    "$(mkdir trace)",
    "`mkdir trace`",
    "' && mkdir trace && '",
    '" && mkdir trace && "',
    "| mkdir trace",
]
ODD = [*COMMANDS, "> trace", "& mkdir trace &", "\\", "*", "~", "!!", "{}", "<b>", "猫"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A clone with a data set of odd classes in an odd folder; all else is the demo's."""
    folder = workflow_in(tmp_path)
    root = folder / "$(mkdir trace) '; mkdir trace; 'data'"
    (root / "images").mkdir(parents=True)
    for number in range(2):
        Image.fromarray(np.full((16, 16, 3), 40 * number, np.uint8)).save(
            root / f"images/{number}.png"
        )
    (root / "labels.csv").write_text(f"image,split,labels\n0.png,train,{ODD[0]}\n1.png,train,*\n")
    data = {"format": "folder", "root": root.name, "masks": None, "classes": ODD}
    settings = {
        "dataset": "odd",
        "prototypes": {"clusters": 2},
        "backbones": {"clip": {"weights": "random"}},  # the demo's know their own words alone
        "data": data | {"splits": {"tune": None, "val": None}},
        "labels": {"threshold": 0.5},
    }
    (folder / "odd.yaml").write_text(yaml.safe_dump(settings))
    return folder


@pytest.mark.slow
def test_no_class_and_no_folder_becomes_a_command(folder: Path) -> None:
    index = "results/odd/index/index.parquet"
    in_folder(folder)(index, "--cores", "1", "--configfile", "odd.yaml")
    labels = [image.labels for image in Index.read(folder / index).images]
    assert labels == [(1,), (ODD.index("*") + 1,)]
    assert not list(folder.rglob("trace"))


@pytest.mark.slow
def test_no_tag_of_yaml_makes_an_object(folder: Path) -> None:
    (folder / "tag.yaml").write_text("seed: !!python/object/apply:os.mkdir [trace]\n")
    done = in_folder(folder)("-n", "--configfile", "odd.yaml", "tag.yaml", check=False)
    assert done.returncode
    assert "not valid JSON or YAML" in done.stdout + done.stderr
    assert not (folder / "trace").exists()


@pytest.mark.slow
def test_a_configuration_that_asks_for_yte_is_a_program(folder: Path) -> None:
    """Snakemake runs it before it reads the Snakefile: docs/reliability.md warns of such files."""
    program = "__use_yte__: true\nseed: ?__import__('os').mkdir('trace') or 3\n"
    (folder / "yte.yaml").write_text(program)
    in_folder(folder)("-n", "--configfile", "odd.yaml", "yte.yaml", check=False)
    assert (folder / "trace").exists()
