"""Parts of objects: which Range headers count, and what they mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyfront.edge.cache.ranges import Span, content_range, not_modified, range_applies, spans, well_formed


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0", [Span(0, 1)]),
        ("bytes=0-", [Span(0, 100)]),
        ("bytes=10-19", [Span(10, 20)]),
        ("bytes=90-1000", [Span(90, 100)]),
        ("bytes=99-", [Span(99, 100)]),
        ("bytes=-1", [Span(99, 100)]),
        ("bytes=-1000", [Span(0, 100)]),
        ("Bytes = 5-6", [Span(5, 7)]),
        ("bytes=100-", []),
        ("bytes=100-200", []),
        ("bytes=-0", []),
        ("bytes=0-5,10-15", [Span(0, 6), Span(10, 16)]),
        ("bytes=0-0, 98-", [Span(0, 1), Span(98, 100)]),
        ("bytes=0-5,100-", [Span(0, 6)]),
        ("bytes=100-,", None),
        # ill-formed: the whole object
        ("bytes=", None),
        ("bytes=-", None),
        ("bytes=5", None),
        ("bytes=9-5", None),
        ("bytes=a-b", None),
        ("bytes=--5", None),
        ("items=0-5", None),
        ("bytes 0-5", None),
        ("bytes=0-5,", None),
        ("bytes=10-15,0-5", None),
        ("", None),
    ],
)
def test_a_range_header_names_these_bytes_of_a_hundred(header: str, expected: list[Span] | None) -> None:
    assert spans(header, 100) == expected


@pytest.mark.parametrize(
    ("header", "good"),
    [
        ("bytes=0-5", True),
        ("bytes=100-200,300-400", True),
        ("bytes=100-200,300-", True),
        ("bytes=-5", True),
        # Developer Guide, "How CloudFront processes partial requests"
        ("bytes=300-400,100-200", False),
        ("bytes=100-200,150-250", False),
        ("bytes=-5,0-1", False),
        ("bytes=0-,5-6", False),
        ("bytes=5-1", False),
        ("bytes=x", False),
        ("", False),
    ],
)
def test_ranges_have_to_ascend_and_not_overlap(header: str, good: bool) -> None:
    assert well_formed(header) is good


def test_no_byte_of_an_empty_object_can_be_asked_for() -> None:
    assert spans("bytes=0-", 0) == []
    assert spans("bytes=-5", 0) == []


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes 0-4/10", (Span(0, 5), 10)),
        ("Bytes 9-9/10", (Span(9, 10), 10)),
        ("bytes 0-4/*", None),
        ("bytes */10", None),
        ("bytes 5-4/10", None),
        ("bytes 5-10/10", None),
        ("items 0-4/10", None),
        ("", None),
    ],
)
def test_a_content_range_says_which_part_of_how_much(header: str, expected: tuple[Span, int] | None) -> None:
    assert content_range(header) == expected


@given(st.text("bytes=0123456789-, ", max_size=30), st.integers(0, 10_000))
def test_whatever_is_asked_lies_within_the_object(text: str, length: int) -> None:
    reached = 0
    for found in spans(f"bytes={text}", length) or []:
        assert reached <= found.start < found.end <= length
        reached = found.end


@pytest.mark.parametrize(
    ("if_range", "applies"),
    [
        ("", True),
        ('"a"', True),
        ('"b"', False),
        ('W/"a"', False),
        ("Fri, 15 Jan 2027 08:00:00 GMT", True),
        ("Fri, 15 Jan 2027 08:00:01 GMT", False),
        ("yesterday", False),
    ],
)
def test_if_range_asks_for_the_same_object(if_range: str, applies: bool) -> None:
    assert range_applies(if_range, '"a"', "Fri, 15 Jan 2027 08:00:00 GMT") is applies


def test_if_range_needs_something_to_compare_with() -> None:
    assert not range_applies("yesterday", '"a"', "")
    assert not range_applies('W/"a"', 'W/"a"', "")


@pytest.mark.parametrize(
    ("headers", "same"),
    [
        ({}, False),
        ({b"if-none-match": b'"a"'}, True),
        ({b"if-none-match": b'W/"a"'}, True),
        ({b"if-none-match": b'"b", "a"'}, True),
        ({b"if-none-match": b"*"}, True),
        ({b"if-none-match": b'"b"'}, False),
        ({b"if-none-match": b"a"}, False),
        ({b"if-modified-since": b"Fri, 15 Jan 2027 08:00:00 GMT"}, True),
        ({b"if-modified-since": b"Fri, 15 Jan 2027 07:59:59 GMT"}, False),
        ({b"if-modified-since": b"never"}, False),
        # RFC 9110, section 13.1.3: If-None-Match alone counts
        ({b"if-none-match": b'"b"', b"if-modified-since": b"Fri, 15 Jan 2027 08:00:00 GMT"}, False),
    ],
)
def test_a_viewer_may_have_the_object_already(headers: dict[bytes, bytes], same: bool) -> None:
    assert not_modified(headers, '"a"', 1_800_000_000.0) is same
