from pathlib import Path

import pytest

from ssr.running import machine


@pytest.mark.parametrize(
    ("told", "processor"),
    [("processor\t: 0\nmodel name\t: Abacus 3000\n", "Abacus 3000"), ("processor\t: 0\n", "arm64")],
)
def test_a_processor_is_called_what_linux_calls_it_or_else_of_its_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str, processor: str
) -> None:
    (tmp_path / "cpuinfo").write_text(told)
    monkeypatch.setattr(machine, "_PROCESSORS", tmp_path / "cpuinfo")
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    assert machine.Machine.here().processor == processor
