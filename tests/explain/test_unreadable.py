"""Texts that cannot be read are described in keyfront's own words."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from keyfront.core import encoding
from keyfront.explain.unreadable import base64_problem, json_problem


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("ab!d", "it has !;"),
        ("ab d", "it has ' ';"),
        ("ab\x1bd", "it has '\\x1b';"),
        ("a_bc", "a _ in the middle"),
        ("abcde", "it has 5 characters, which is not a multiple of 4"),
        ("abc9", "its last characters were changed"),
    ],
)
def test_base64(text: str, told: str) -> None:
    assert told in base64_problem(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "it is empty"),
        ("{'a': 1}", "JSON has double quotes only"),
        ('{"a": 1,}', "a comma is too many"),
        ('{"a": "b', "the text in quotes never ends"),
        ('{"a": ', "it ends too early, after 6 characters"),
        ("{}", ""),
        ("[" * 100_000, ""),
    ],
)
def test_json(text: str, told: str) -> None:
    problem = json_problem(text.encode())
    assert told in problem
    assert bool(problem) == bool(told)


def test_bytes_that_are_no_text() -> None:
    assert json_problem(b'{"a": "\xff"}') == "it is not text: byte 8 is not UTF-8"


@settings(max_examples=examples(150), deadline=None, derandomize=True, database=None)
@given(st.one_of(st.binary(max_size=40), st.text("{}[]\",:'ab1 \n", max_size=40).map(str.encode)))
def test_it_tells_a_problem_exactly_if_there_is_one(data: bytes) -> None:
    try:
        json.loads(data.decode("utf-8"))
    except ValueError:
        assert json_problem(data)
    else:
        assert json_problem(data) == ""
    text = encoding.encode(data)
    assert base64_problem(text[:-1]) or not text
