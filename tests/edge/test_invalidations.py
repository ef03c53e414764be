"""Invalidations: which objects leave the cache before their time."""

import pytest

from keyfront.edge.cache.invalidations import Invalidation
from keyfront.edge.cache.objects import CacheKey


@pytest.mark.parametrize(
    ("wanted", "path", "query", "gone"),
    [
        ("/a", "/a", "", True),
        ("/a", "/ab", "", False),
        ("/a", "/a", "x=1", False),
        ("/a?x=1", "/a", "x=1", True),
        ("/a*", "/a", "x=1", True),
        ("/a*", "/a/b/c", "", True),
        ("/a/*", "/a", "", False),
        ("/*", "/anything", "x=1", True),
        ("/A", "/a", "", False),
        ("/a", "//a", "", True),
        ("/a%2E", "/a.", "", True),
    ],
)
def test_a_path_names_what_the_guide_says(wanted: str, path: str, query: str, gone: bool) -> None:
    matches = Invalidation("I1", "E1", (wanted,)).matcher()
    assert matches(CacheKey("E1", path, query)) is gone
    assert not matches(CacheKey("E2", path, query))
