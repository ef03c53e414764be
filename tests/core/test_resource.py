"""Matching a policy's `Resource`: the guide's examples, attacks over the borders, and a second, slow reader beside."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.examples import examples

from keyfront.core.resource import covers, matches, sections, wildcard

ROWS = tomllib.loads((Path(__file__).parent / "data" / "resources.toml").read_text())["row"]


@pytest.mark.parametrize(("pattern", "url"), [(row["pattern"], url) for row in ROWS for url in row["opens"]])
def test_a_resource_opens(pattern: str, url: str) -> None:
    assert covers(pattern, url)


@pytest.mark.parametrize(("pattern", "url"), [(row["pattern"], url) for row in ROWS for url in row["refuses"]])
def test_a_resource_does_not_open(pattern: str, url: str) -> None:
    assert not covers(pattern, url)


def test_the_table_refuses_more_than_it_opens() -> None:
    assert sum(len(row["refuses"]) for row in ROWS) > sum(len(row["opens"]) for row in ROWS)


# A second reader of the same rules, which tries every reading in turn and knows nothing of bits.


def fits(pattern: str, text: str) -> bool:
    if not pattern:
        return not text
    if pattern[0] == "*":
        return fits(pattern[1:], text) or (text != "" and fits(pattern, text[1:]))
    return text != "" and pattern[0] in ("?", text[0]) and fits(pattern[1:], text[1:])


def every_reading(pattern: str) -> Iterator[tuple[str, str, str, str]]:
    found = re.match(r"([A-Za-z*?]+)://(.*)", pattern, re.DOTALL)
    if found is None and not pattern.startswith("*"):
        return
    protocol, rest = found.groups() if found else ("*", pattern)
    marks = [mark.start() for mark in re.finditer(r"\?", rest)]
    if "\\?" in rest:
        splits = [tuple(rest.split("\\?", 1))]
    else:
        splits = [(rest, "*" if rest.endswith("*") else ""), *((rest[:mark], rest[mark + 1 :]) for mark in marks)]
    for location, query in splits:
        domain, slash, path = location.partition("/")
        yield protocol, domain, slash + path if slash else "/*" if domain.endswith("*") else "/", query


def slowly_covers(pattern: str, url: str) -> bool:
    if pattern == "*":
        return True
    asked = sections(url)
    return asked is not None and any(
        all(fits(*pair) for pair in zip(reading, asked, strict=True)) for reading in every_reading(pattern)
    )


PATTERNS = st.builds(
    "{}{}".format,
    st.sampled_from(["http://", "https://", "*://", "http*://", "*", "", "://"]),
    st.text(alphabet="ab/?*.\\", max_size=12),
)
URLS = st.builds(
    "{}{}".format, st.sampled_from(["http://", "https://", "", "://"]), st.text(alphabet="ab/?.\\*", max_size=10)
)


@settings(deadline=None, max_examples=examples(400))
@given(pattern=PATTERNS, url=URLS)
@example(pattern="https://a?b?c", url="https://a/?b?c")
@example(pattern="*?", url="https://a?")
def test_the_matcher_agrees_with_a_slow_and_simple_one(pattern: str, url: str) -> None:
    assert covers(pattern, url) == slowly_covers(pattern, url)


@settings(deadline=None, max_examples=examples(400))
@given(pattern=PATTERNS, fill=st.lists(st.sampled_from(["", "a", "b", "ab", "."]), min_size=12, max_size=12))
def test_it_agrees_on_urls_made_from_the_pattern(pattern: str, fill: list[str]) -> None:
    pieces = re.split(r"\*", pattern.replace("*://", "https://", 1).replace("\\?", "?"))
    url = "".join(piece + filling for piece, filling in zip(pieces, fill, strict=False))
    assert covers(pattern, url) == slowly_covers(pattern, url)


@settings(deadline=None)
@given(
    domain=st.text(alphabet="ab.*?", min_size=1, max_size=8),
    path=st.text(alphabet="ab/*.", max_size=8),
    other=st.from_regex(r"[c-f]{1,5}(\.[c-f]{1,3})?", fullmatch=True),
    tail=st.text(alphabet="ab/.?=*", max_size=16),
)
def test_no_pattern_for_one_domain_opens_another(domain: str, path: str, other: str, tail: str) -> None:
    pattern = f"https://{domain}.com/{path}"
    if not fits(f"{domain}.com".partition("?")[0], other) and not fits(f"{domain}.com", other):
        assert not covers(pattern, f"https://{other}/{tail}")


@given(pattern=st.text(alphabet="ab?*/", max_size=10), text=st.text(alphabet="ab/\n", max_size=10))
def test_a_path_patterns_expression_agrees_with_the_matcher(pattern: str, text: str) -> None:
    assert bool(wildcard(pattern).fullmatch(text)) == matches(pattern, text) == fits(pattern, text)


@settings(deadline=None)
@given(pattern=st.text(max_size=60), url=st.text(max_size=60))
def test_no_input_raises(pattern: str, url: str) -> None:
    assert covers(pattern, url) in (True, False)
    sections(url)


@pytest.mark.parametrize(
    "pattern",
    [
        "https://h/" + "?" * 8000,
        "https://h/" + "*?" * 4000 + "b",
        "https://h" + "?*/" * 2500,
        "https://h/" + "a*" * 4000 + "\\?" + "*b" * 100,
        "*" * 8000 + "b",
    ],
)
def test_a_hostile_pattern_is_read_in_bounded_time(pattern: str) -> None:
    # Reading by reading, each of these took from minutes to for ever.
    assert not covers(pattern, "https://h/" + "a" * 3000 + "?" + "a" * 3000 + "c")
    assert not wildcard("a*" * 100 + "b").fullmatch("a" * 3000)


@pytest.mark.parametrize(
    ("url", "split"),
    [
        ("https://h/a?b", ("https", "h", "/a", "b")),
        ("https://h", ("https", "h", "/", "")),
        ("https://h?b", ("https", "h", "/", "b")),
        ("https://h:80/a//b/?", ("https", "h:80", "/a//b/", "")),
        ("https://h/a?b?c/d://e", ("https", "h", "/a", "b?c/d://e")),
        ("h/a", None),
        ("https://", None),
        ("https:///a", None),
        ("://h/a", None),
        ("/x?https://h/a", None),
    ],
)
def test_a_url_has_four_sections(url: str, split: tuple[str, str, str, str] | None) -> None:
    assert sections(url) == split
