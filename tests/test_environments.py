import subprocess
import tomllib
from importlib.metadata import version
from itertools import chain

import pytest
import yaml
from packaging.requirements import Requirement

from tests import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]


@pytest.mark.parametrize("line", chain(PROJECT["dependencies"], *EXTRAS.values()))
def test_make_installs_what_the_project_asks_for(line: str) -> None:
    asked = Requirement(line)
    if not asked.marker or asked.marker.evaluate():
        assert asked.specifier.contains(version(asked.name), prereleases=True)


def test_conda_environment_has_the_pins_of_the_project() -> None:
    lines = [*PROJECT["dependencies"], *EXTRAS["slic"]]
    wanted = {line.partition(";")[0].strip() for line in lines}
    environment = yaml.safe_load((ROOT / "envs/ssr.yaml").read_text())["dependencies"]
    pip = environment.pop()["pip"]
    conda = {line.replace("=", "==") for line in environment if line.startswith("numpy")}
    script = (ROOT / "envs/ssr.post-deploy.sh").read_text()
    built = {line for line in wanted if line in script}
    assert built == {"fast_slic==0.4.0", "opencv-python-headless==5.0.0.93"}
    assert set(pip) | conda | built == wanted


def test_under_make_python_keeps_what_it_compiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    shown = "shown: ; @echo [$$PYTHONDONTWRITEBYTECODE]"
    command = ["make", "--no-print-directory", "--eval", shown, "shown"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
