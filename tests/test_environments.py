import tomllib

import yaml

from tests import ROOT


def test_conda_environment_has_the_pins_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"], *project["optional-dependencies"]["fast_slic"]]
    wanted = {line.partition(";")[0].strip() for line in lines}
    environment = yaml.safe_load((ROOT / "envs/ssr.yaml").read_text())["dependencies"]
    pip = environment.pop()["pip"]
    conda = {line.replace("=", "==") for line in environment if line.startswith("numpy")}
    script = (ROOT / "envs/ssr.post-deploy.sh").read_text()
    built = {line for line in wanted if line in script}
    assert built == {"fast_slic==0.4.0"}
    assert set(pip) | conda | built == wanted
