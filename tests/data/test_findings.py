import pytest

from ssr.data.findings import Findings
from ssr.errors import InputError


def test_all_problems_come_in_one_report_with_counts_and_first_examples():
    findings = Findings()
    findings.problem("missing image", "a.png")
    for number in range(7):
        findings.problem("duplicate id", str(number))
    with pytest.raises(InputError) as error:
        findings.raise_problems("data/cats")
    assert str(error.value).splitlines() == [
        "the data set data/cats cannot be used:",
        "  1 × missing image: a.png",
        "  7 × duplicate id: 0, 1, 2, 3, 4, …",
    ]


def test_warnings_stop_nothing():
    findings = Findings()
    findings.warning("image without a label", "a")
    findings.warning("image without a label", "b")
    findings.raise_problems("data/cats")
    assert findings.warnings == ["2 × image without a label: a, b"]
