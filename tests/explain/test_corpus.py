"""Every link of the corpora gets the right first finding."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from keyfront.explain.rules import RULES

_CORPUS = Path(__file__).with_name("corpus")
_CASES = [
    pytest.param(case, id=f"{file.stem}: {case['name']}")
    for file in sorted(_CORPUS.glob("*.toml"))
    for case in tomllib.loads(file.read_text("utf-8"))["case"]
]


@pytest.mark.parametrize("case", _CASES)
def test_is_explained(bench: Any, case: dict[str, Any]) -> None:
    report = bench.explain(case)
    assert report.first is not None
    ids = [finding.id for finding in report.findings]
    assert ids[0] == case["expect"]
    assert set(case.get("also", ())) <= set(ids)
    assert report.verdict.outcome == case.get("outcome", "refused")
    assert report.first.evidence
    assert case.get("evidence", "") in "\n".join(finding.evidence for finding in report.findings)
    assert report.first.fix
    # Beside what was expected nothing that is wrong may be said with certainty.
    others = {f.id for f in report.findings if f.severity == "error" and f.certainty == "certain"} - {case["expect"]}
    assert others <= set(case.get("also", ())), others


def test_it_is_large_and_says_where_each_case_comes_from() -> None:
    cases = tomllib.loads((_CORPUS / "reports.toml").read_text("utf-8"))["case"]
    assert len(cases) >= 60
    assert len({case["name"] for case in cases}) == len(cases)
    told = [case for case in cases if case["source"].startswith("https://")]
    assert len(told) >= 60
    assert all(case["source"].startswith("assumed: ") for case in cases if case not in told)


def test_every_finding_is_shown_by_a_case() -> None:
    shown: set[str] = set()
    for file in _CORPUS.glob("*.toml"):
        for case in tomllib.loads(file.read_text("utf-8"))["case"]:
            shown |= {case["expect"], *case.get("also", ())}
    assert set(RULES) - shown == {"url-too-long"}  # has a test of its own, in test_rules.py
    assert shown <= set(RULES)
