"""What a path means: the form that is matched, and what else an origin might read in it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyfront.core.paths import Reading, normalise, readings


@pytest.mark.parametrize(
    ("path", "normalised"),
    [
        ("/", "/"),
        ("/a/b", "/a/b"),
        ("/a/b/", "/a/b/"),
        ("//", "/"),
        ("//a///b", "/a/b"),
        ("/a/./b", "/a/b"),
        ("/a/../b", "/b"),
        ("/a/b/..", "/a/"),
        ("/a/b/.", "/a/b/"),
        ("/..", "/"),
        ("/../../a", "/a"),
        ("/a/%2e%2E/b", "/b"),
        ("/a/.%2e/b", "/b"),
        ("/a/%2e/b", "/a/b"),
        ("/.../a", "/.../a"),
        ("/.a/..b", "/.a/..b"),
        ("/%70rivate", "/private"),
        ("/%7Euser", "/~user"),
        ("/a%2fb", "/a%2Fb"),
        ("/a%2f..%2fb", "/a%2F..%2Fb"),
        ("/a%20b", "/a%20b"),
        ("/a%zz", "/a%zz"),
        ("/a%", "/a%"),
        ("/%25%32%65", "/%252e"),
        ("/A/a", "/A/a"),
    ],
)
def test_a_path_is_normalised_as_rfc_3986_has_it(path: str, normalised: str) -> None:
    assert normalise(path) == normalised


@given(st.text("/.%2eEfF5cCaA0;\\", max_size=40).map(lambda text: f"/{text}"))
def test_what_is_normalised_stays_as_it_is_and_holds_no_dot_segment(path: str) -> None:
    normalised = normalise(path)
    assert not re.search(r"//|/\.{1,2}(/|$)", normalised)
    # "%252e" decodes to "%2e": once is what the RFC says, and twice would be another path.
    if "%25" not in path:
        assert normalise(normalised) == normalised


@pytest.mark.parametrize("path", ["/", "/a/b.jpg", "/a..b/c", "/a-b_c~d/e"])
def test_a_plain_path_has_one_reading(path: str) -> None:
    assert readings(path) == (Reading(path),)


@pytest.mark.parametrize(
    ("path", "elsewhere"),
    [
        ("/user/42/../43/x", "/user/43/x"),
        ("/user/42/%2e%2e/43/x", "/user/43/x"),
        ("/user/42/..%2f43/x", "/user/43/x"),
        ("/user/42/..%2F43/x", "/user/43/x"),
        ("/user/42%2f..%2f43/x", "/user/43/x"),
        ("/user/42/%252e%252e/43/x", "/user/43/x"),
        ("/user/42/..%252f43/x", "/user/43/x"),
        ("/user/42/..%5c43/x", "/user/43/x"),
        ("/user/42/%c0%ae%c0%ae/43/x", "/user/43/x"),
        ("/user/42/..%c0%af43/x", "/user/43/x"),
        ("/user/42/..;v=1/43/x", "/user/43/x"),
        ("/user/42/..%3bv=1/43/x", "/user/43/x"),
        ("/user/42//x", "/user/42/x"),
        ("/user/42/%2e%2e/a%20b", "/user/a%20b"),
    ],
)
def test_a_path_that_some_origin_takes_for_another_place_names_that_place(path: str, elsewhere: str) -> None:
    assert elsewhere in {reading.elsewhere for reading in readings(path)}


@pytest.mark.parametrize("path", ["/a%20b", "/a%2Fb", "/%7Euser/x", "/a;v=1/b", "/caf%C3%A9", "/a%5cb", "/100%25"])
def test_a_path_that_is_only_written_differently_names_no_other_place(path: str) -> None:
    assert {reading.elsewhere for reading in readings(path)} == {""}


@pytest.mark.parametrize("path", ["/private%2fx", "/private%252fx", "/%2fprivate/x", "/private%5cx", "/private;a/x"])
def test_readings_hold_the_path_that_a_lenient_origin_sees(path: str) -> None:
    assert "/private/x" in {reading.path for reading in readings(path)}


@given(st.text(max_size=60).map(lambda text: "/" + text.encode("utf-8", "replace").decode("latin-1")))
def test_no_path_makes_reading_it_fail(path: str) -> None:
    assert readings(path)[0].path == normalise(path)
