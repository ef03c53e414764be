"""What moto's authors found out about CloudFront: their tests, run against our endpoint in moto's server mode."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

IDENTITY = "00000000000001"
STACKS = tomllib.loads((Path(__file__).parent / "moto_stacks.toml").read_text("utf-8"))
CASES = tomllib.loads((Path(__file__).parent / "moto.toml").read_text("utf-8"))["tests"]


def test_motos_tests_pass_but_for_those_of_which_we_know_why_not(
    moto_tests: Any, endpoint: Callable[..., Any], differences: list[Any], tmp_path: Path
) -> None:
    with endpoint(IDENTITY) as url:
        passed = moto_tests.run(url, tmp_path / "report.xml")
    assert len(passed) == CASES
    expected = [d for d in differences if not d.without_identity_only]
    failed = {case for case, why in passed.items() if why is not None}

    unexplained = sorted(case for case in failed if not any(d.covers(case) for d in expected))
    assert unexplained == [], "they fail, and moto.toml does not say why"
    certain = [d for d in expected if not d.either_way]
    assert [case for case in passed.keys() - failed if any(d.covers(case) for d in certain)] == []
    assert [sum(d.covers(case) for case in failed) for d in certain] == [d.cases for d in certain]


def test_what_moto_has_verified_against_aws_is_none_of_the_differences(moto_tests: Any, differences: list[Any]) -> None:
    verified = moto_tests.verified()
    assert verified
    assert not [name for name in verified if any(d.covers(name) for d in differences)]


def test_in_an_empty_account_those_fail_that_name_an_identity_and_of_stacks_those_of_which_we_know_why(
    moto_tests: Any, endpoint: Callable[..., Any], differences: list[Any], tmp_path: Path
) -> None:
    (naming,) = (d for d in differences if d.without_identity_only)
    with endpoint() as url:
        chosen = [*STACKS["chosen"], *moto_tests.addresses(naming.tests)]
        found = moto_tests.run(url, tmp_path / "report.xml", chosen)
    why_not = [why for case, why in found.items() if naming.covers(case)]
    assert len(why_not) == naming.cases
    assert None not in why_not

    passed = {case: why for case, why in found.items() if not naming.covers(case)}
    failed = {case: why for case, why in passed.items() if why is not None}
    names = {name: reason["because"] for reason in STACKS["differs"] for name in reason["tests"]}
    explained = {case: names[name] for case in failed if (name := case.partition("[")[0]) in names}
    unexplained = {case: why[-2000:] for case, why in failed.items() if case not in explained}
    assert unexplained == {}, "they fail, and moto_stacks.toml does not say why"
    numbers = {each["because"]: list(explained.values()).count(each["because"]) for each in STACKS["differs"]}
    assert numbers == {each["because"]: each["cases"] for each in STACKS["differs"]}
    assert len(passed) - len(failed) == STACKS["passed"]
