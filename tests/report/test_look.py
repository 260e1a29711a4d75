from pathlib import Path

from ssr.doctor.changes import explain_change
from ssr.report.look import state_of_templates


def test_a_changed_template_makes_the_page_anew_and_says_so(tmp_path: Path) -> None:
    template = tmp_path / "page.html"
    template.write_text("<p>one</p>")
    before = state_of_templates(tmp_path)
    template.touch()
    assert state_of_templates(tmp_path) == before
    template.write_text("<p>two</p>")
    now = state_of_templates(tmp_path)
    explained = explain_change("build_report", [repr(before)], [repr(now)])
    assert list(explained) == ["templates of the page changed"]
