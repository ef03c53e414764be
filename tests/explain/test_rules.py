"""What the corpora do not show: limits, bounds and odd input."""

import json
import subprocess
import sys
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

import keyfront
from keyfront.core.verification import ViewerRequest
from keyfront.explain import Budget, Response, explain

CASE = {"url": "https://media.example.com/a/b.png?x=1&y=2", "signed": "https://elsewhere.example.org/z"}


def test_a_url_that_is_too_long(bench: Any) -> None:
    report = bench.explain({"url": f"https://d1.cloudfront.net/{'a' * 9000}"})
    assert report.first.id == "url-too-long"
    assert report.verdict.answer.status == 413


def test_the_search_stops_after_its_tries_and_says_so(bench: Any) -> None:
    report = explain(**bench.arguments(CASE), budget=Budget(tries=50))
    assert report.first is not None
    assert report.first.id == "signature-does-not-match"
    assert "were tried before time was up" in report.first.evidence
    assert report.searched.startswith("The search stopped after 50 tries")


def test_the_search_stops_when_its_clock_says_so(bench: Any) -> None:
    answers = iter([False, False, True])
    report = explain(**bench.arguments(CASE), budget=Budget(spent=lambda: next(answers)))
    assert next(answers, None) is None  # and it was not asked again
    assert "search stopped after" in report.searched


def test_a_search_that_ends_says_that_it_tried_everything(bench: Any) -> None:
    assert bench.explain(CASE).searched.startswith("The signature matches none of the ")


def test_the_report_is_json(bench: Any) -> None:
    told = bench.explain({**CASE, "signed": "http://media.example.com/a/b.png?x=1&y=2"}).to_json()
    assert json.loads(json.dumps(told)) == told
    lineup = next(step["lineup"] for step in told["steps"] if step["lineup"])
    assert (lineup["expected_at"], lineup["seen_at"]) == (4, 4)


def test_a_report_is_at_hand_in_the_library(bench: Any) -> None:
    arguments = bench.arguments({"url": "https://media.example.com/a.png"})
    assert explain(**arguments).verdict.outcome == "allowed"
    assert keyfront.Report is type(explain(**arguments))


_NAMES = st.sampled_from(["Expires", "Policy", "Signature", "Key-Pair-Id", "Hash-Algorithm"])


@settings(max_examples=examples(150), deadline=None, derandomize=True, database=None)
@given(
    st.text(max_size=60),
    st.dictionaries(
        st.sampled_from(["Expires", "Policy", "Signature", "Key-Pair-Id", "Hash-Algorithm"]), st.text(max_size=40)
    ),
    st.text(max_size=60),
    st.text(max_size=60),
)
def test_nothing_that_a_viewer_sends_raises(path: str, values: dict[str, str], cookie: str, body: str) -> None:
    query = "&".join(f"{name}={value}" for name, value in values.items())
    request = ViewerRequest(f"https://h.example/{path}?{query}", cookie, "x")
    report = explain(request, now=1_790_000_000.0, trusted_keys={}, response=Response(403, {}, body))
    json.dumps(report.to_json())
    bare = explain(replace(request, url=path), now=1_790_000_000.0)
    json.dumps(bare.to_json())


def test_the_room_needs_nothing_but_the_core() -> None:
    code = "import sys, keyfront.explain; print(*sorted(n for n in sys.modules if n.startswith('keyfront.')))"
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    rooms = {name.split(".")[1] for name in seen}
    assert rooms == {"core", "errors", "explain", "home", "lazy"}


def test_the_package_loads_its_rooms_when_they_are_used() -> None:
    loaded = "print('cryptography' in sys.modules)"
    code = f"import sys, keyfront; {loaded}; keyfront.Signer; {loaded}"
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert seen == ["False", "True"]
