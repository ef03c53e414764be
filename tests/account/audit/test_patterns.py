"""Where path patterns meet, against trying every short path."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from keyfront.account.audit.patterns import witness
from keyfront.core.paths import normalise, path_matcher

_PATTERNS = st.text("ab/.*?", max_size=5)


def _fits(path: str, including: list[str], excluding: list[str]) -> bool:
    plain = path[1:]
    return all(path_matcher(p)(plain) for p in including) and not any(path_matcher(p)(plain) for p in excluding)


@settings(deadline=None, max_examples=examples(150))
@given(st.lists(_PATTERNS, min_size=1, max_size=2), st.lists(_PATTERNS, max_size=2))
def test_a_path_is_found_exactly_where_there_is_one(including: list[str], excluding: list[str]) -> None:
    found = witness(including, excluding)
    if found is not None:
        assert normalise(found) == found
        assert _fits(found, including, excluding)
        return
    for length in range(5):
        for letters in product("abx/.", repeat=length):
            path = "/" + "".join(letters)
            assert normalise(path) != path or not _fits(path, including, excluding), path


@pytest.mark.parametrize(
    ("including", "excluding"),
    [
        (["*.mp4", "private/*"], []), (["a?c", "*b*"], []), (["*%41*"], []), (["*"], ["*x*", "*y*"]),
        (["100%/*"], []),
    ],
)  # fmt: skip
def test_the_example_is_routed_as_it_says(including: list[str], excluding: list[str]) -> None:
    path = witness(including, excluding)
    assert path is not None
    assert _fits(path, including, excluding)


@pytest.mark.parametrize(
    ("including", "excluding"),
    [(["a*", "b*"], []), (["*.jpg", "private/*"], ["private/*"]), (["x//y", "x//y"], ["x/y"]), (["a?"], ["a*"])],
)
def test_where_no_path_is_there_is_none(including: list[str], excluding: list[str]) -> None:
    assert witness(including, excluding) is None
