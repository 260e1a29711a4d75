import re
from xml.etree import ElementTree

from ssr.report.dag import OCCASIONAL, draw_dag, rule_names
from tests import ROOT

# Rules that no result rests on: the demo's backbones come with the code.
NOT_SHOWN = {"check_backbones", "pretrain_demo", "pretrain_demo_backbone"}


def test_every_rule_is_shown() -> None:
    files = (ROOT / "rules").glob("*.smk")
    rules = {
        name for file in files for name in re.findall(r"^ *rule (\w+):", file.read_text(), re.M)
    }
    assert {*rule_names(), *OCCASIONAL} == rules - NOT_SHOWN


def test_picture_is_well_formed_and_describes_itself() -> None:
    picture = ElementTree.fromstring(draw_dag())
    names = {element.tag.rpartition("}")[2] for element in picture}
    assert {"title", "desc"} <= names
    texts = {element.text for element in picture.iter("{http://www.w3.org/2000/svg}text")}
    assert set(rule_names()) <= texts


def test_picture_of_the_readme_is_up_to_date() -> None:
    kept = (ROOT / "docs" / "images" / "dag.svg").read_text(encoding="utf-8")
    assert kept == draw_dag(), "run python -m workflow_scripts.draw_readme_pictures"
