"""CloudFront's base64: one text for any bytes, one value for any text."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyfront.core.encoding import decode, encode
from keyfront.errors import EncodingError

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_~"


@given(st.binary(max_size=600))
def test_what_is_encoded_decodes_to_the_same_bytes(data: bytes) -> None:
    assert decode(encode(data)) == data


@given(st.one_of(st.text(alphabet=ALPHABET, max_size=40), st.text(alphabet="AQB_~", max_size=9), st.text(max_size=40)))
def test_no_two_texts_stand_for_the_same_bytes(text: str) -> None:
    try:
        data = decode(text)
    except EncodingError:
        return
    assert encode(data) == text


@given(st.binary(max_size=200))
def test_it_travels_unescaped_in_a_query_string_and_a_cookie(data: bytes) -> None:
    assert set(encode(data)) <= set(ALPHABET)


@given(data=st.binary(min_size=1, max_size=60), place=st.integers(0), letter=st.sampled_from(ALPHABET))
def test_a_changed_character_is_noticed(data: bytes, place: int, letter: str) -> None:
    text = encode(data)
    place %= len(text)
    changed = text[:place] + letter + text[place + 1 :]
    try:
        assert (decode(changed) == data) == (changed == text)
    except EncodingError:
        assert changed != text


def test_it_is_what_the_guides_shell_command_makes(need_tool: Callable[[str], Path]) -> None:
    data = bytes(range(256)) + b"\xfb\xff\xfe?"
    command = f"'{need_tool('openssl')}' base64 -A | tr -- '+=/' '-_~'"
    made = subprocess.run(["/bin/sh", "-c", command], input=data, capture_output=True, check=True).stdout.decode()
    assert encode(data) == made
    assert decode(made) == data


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("+_8_", "'+' by '-'"),
        ("YWI=", "'=' by '_'"),
        ("/w__", "'/' by '~'"),
        ("YQ", "not CloudFront's base64"),
        ("YQ_", "not CloudFront's base64"),
        ("YR__", "bits that belong to no byte"),
        ("YWJ_", "bits that belong to no byte"),
        ("____", "not CloudFront's base64"),
        ("YWJj\n", "not CloudFront's base64"),
        (" YWJj", "not CloudFront's base64"),
        ("YW Jj", "not CloudFront's base64"),
        ("YWJj_", "not CloudFront's base64"),
        ("YW__YWJj", "not CloudFront's base64"),
        ("YWJjYWJj____", "not CloudFront's base64"),
        ("%7E", "not CloudFront's base64"),
        ("YWJjé", "not CloudFront's base64"),
        ("\ud800", "not CloudFront's base64"),
    ],
)
def test_anything_else_is_refused_saying_why(text: str, says: str) -> None:
    with pytest.raises(EncodingError, match=re.escape(says)):
        decode(text)


def test_nothing_is_the_text_of_no_bytes() -> None:
    assert encode(b"") == ""
    assert decode("") == b""
