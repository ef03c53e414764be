"""Parts of objects: kept when they come, put together when they fit, and several of them in one answer."""

from __future__ import annotations

from collections.abc import Callable
from email.message import Message
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyfront.edge.cache.bodies import Memory
from keyfront.edge.cache.invalidations import Invalidation
from keyfront.edge.cache.pieces import Pieces
from keyfront.edge.cache.ranges import Span, spans

if TYPE_CHECKING:
    from tests.edge.conftest import Laid, Lay, Reply

BODY = bytes(range(256)) * 40
HOUR = {"Cache-Control": "max-age=3600", "Content-Type": "video/mp4"}


def ranged(body: bytes, etag: str | None = '"v1"', control: str = "max-age=3600") -> Callable[..., None]:
    """An origin that knows single ranges."""

    def handler(request: BaseHTTPRequestHandler) -> None:
        asked = spans(request.headers.get("range", ""), len(body))
        part = asked[0] if asked else Span(0, len(body))
        request.send_response_only(206 if asked else 200)
        request.send_header("Cache-Control", control)
        request.send_header("Content-Type", "video/mp4")
        if etag:
            request.send_header("ETag", etag)
        if asked:
            request.send_header("Content-Range", f"bytes {part.start}-{part.end - 1}/{len(body)}")
        request.send_header("Content-Length", str(part.end - part.start))
        request.end_headers()
        request.wfile.write(body[part.start : part.end])

    return handler


def part(laid: Laid, text: str, **headers: str) -> Reply:
    return laid.viewer.get("/v", headers={"Range": f"bytes={text}", **headers})


@pytest.fixture(params=["memory", "disk"])
def kept(request: pytest.FixtureRequest, lay: Lay, tmp_path: Path) -> Laid:
    """An edge that keeps the object in memory, or for its size on disk."""
    on_disk = request.param == "disk"
    laid = lay(object_bytes=1000 if on_disk else 100_000, disk_bytes=1_000_000, disk_directory=tmp_path / "objects")
    laid.serve()
    laid.origin.handle("/v", ranged(BODY))
    return laid


def test_a_part_that_was_fetched_needs_no_origin_again(kept: Laid) -> None:
    first = part(kept, "100-299")
    assert (first.status, first.body, first.cache) == (206, BODY[100:300], "Miss")
    again, within = part(kept, "100-299"), part(kept, "150-159")
    assert (again.status, again.body, again.cache) == (206, BODY[100:300], "Hit")
    assert again.headers["content-range"] == f"bytes 100-299/{len(BODY)}"
    assert (within.body, within.cache) == (BODY[150:160], "Hit")
    assert "age" in within.headers
    assert len(kept.origin.asked) == 1
    assert part(kept, "250-310").cache == "Miss"


def test_parts_that_touch_become_one_and_in_the_end_the_whole(kept: Laid) -> None:
    size = len(BODY)
    for text in ("0-999", "5000-", "900-5100"):
        assert part(kept, text).cache == "Miss"
    whole = kept.viewer.get("/v")
    assert (whole.status, whole.body, whole.cache) == (200, BODY, "Hit")
    assert whole.headers["content-length"] == str(size)
    assert part(kept, "-5").body == BODY[-5:]
    assert len(kept.origin.asked) == 3


def test_a_part_tells_the_headers_and_whether_the_object_changed(kept: Laid) -> None:
    part(kept, "0-9")
    assert kept.viewer.get("/v", headers={"If-None-Match": '"v1"'}).status == 304
    head = kept.viewer.ask("HEAD", "/v")
    assert (head.status, head.headers["content-length"], head.cache) == (200, str(len(BODY)), "Hit")
    assert part(kept, f"{len(BODY)}-").status == 416
    assert len(kept.origin.asked) == 1


def test_two_versions_are_never_put_together(kept: Laid) -> None:
    part(kept, "0-4999")
    changed = bytes(reversed(BODY))
    kept.origin.handle("/v", ranged(changed, '"v2"'))
    assert part(kept, "5000-").body == changed[5000:]
    assert part(kept, "0-4999").body == changed[:5000]
    whole = kept.viewer.get("/v")
    assert whole.body == changed


@pytest.mark.parametrize("etag", [None, 'W/"v1"'])
def test_parts_without_a_strong_etag_are_not_put_together(kept: Laid, etag: str | None) -> None:
    kept.origin.handle("/v", ranged(BODY, etag))
    part(kept, "0-4999")
    kept.origin.handle("/v", ranged(bytes(reversed(BODY)), etag))
    part(kept, "5000-")
    whole = kept.viewer.get("/v")
    assert (whole.body, whole.cache) == (bytes(reversed(BODY)), "Miss")


def test_if_range_holds_a_part_to_its_version(kept: Laid) -> None:
    part(kept, "0-99")
    assert part(kept, "0-9", **{"If-Range": '"v1"'}).status == 206
    kept.origin.answer("/v", BODY, headers={**HOUR, "ETag": '"v2"'})
    reply = part(kept, "0-9", **{"If-Range": '"v0"'})
    assert (reply.status, reply.body) == (200, BODY)


def test_what_may_not_be_kept_is_not_kept_in_parts_either(kept: Laid) -> None:
    kept.serve(kept.behavior(cache_policy_id="83da9c7e-98b4-4e11-a168-04f0df8e2c65"))
    kept.origin.handle("/v", ranged(BODY, control="private"))
    assert [part(kept, "0-9").cache for _ in range(2)] == ["Miss", "Miss"]


def test_parts_expire_and_come_again(kept: Laid) -> None:
    part(kept, "0-9")
    kept.clock.ahead = 3601
    assert part(kept, "0-9").cache == "Miss"
    assert part(kept, "0-9").cache == "Hit"


def test_an_invalidation_takes_parts_away(kept: Laid) -> None:
    part(kept, "0-9")
    kept.edge.cache.purge(Invalidation("I1", "E1", ("/*",)).matcher())
    assert kept.edge.cache.disk_size == kept.edge.cache.size == 0
    assert part(kept, "0-9").cache == "Miss"


def test_a_content_range_that_lies_is_passed_on_and_not_kept(kept: Laid) -> None:
    kept.origin.answer("/v", b"x" * 10, status=206, headers={**HOUR, "Content-Range": "bytes 0-99/1000"})
    assert [part(kept, "0-99").cache for _ in range(2)] == ["Miss", "Miss"]


def test_an_origin_that_knows_no_ranges_gives_the_whole_once(kept: Laid) -> None:
    kept.origin.answer("/v", BODY, headers={**HOUR, "ETag": '"v1"'})
    first = part(kept, "0-9")
    assert (first.status, first.body) == (200, BODY)
    again = part(kept, "0-9")
    assert (again.status, again.body, again.cache) == (206, BODY[:10], "Hit")


def test_several_ranges_come_as_one_answer_of_several_parts(kept: Laid) -> None:
    kept.viewer.get("/v")
    reply = part(kept, "0-9, 100-149, 5000-")
    assert (reply.status, reply.cache, reply.headers["content-length"]) == (206, "Hit", str(len(reply.body)))
    head = b"Content-Type: " + reply.headers["content-type"].encode() + b"\r\n\r\n"
    message: Message = BytesParser().parsebytes(head + reply.body)
    assert message.get_content_type() == "multipart/byteranges"
    found = [(each["content-range"], each["content-type"], each.get_payload(decode=True)) for each in parts(message)]
    assert found == [
        (f"bytes 0-9/{len(BODY)}", "video/mp4", BODY[:10]),
        (f"bytes 100-149/{len(BODY)}", "video/mp4", BODY[100:150]),
        (f"bytes 5000-{len(BODY) - 1}/{len(BODY)}", "video/mp4", BODY[5000:]),
    ]


def parts(message: Message) -> list[Message]:
    payload = message.get_payload()
    assert isinstance(payload, list)
    return [each for each in payload if isinstance(each, Message)]


@pytest.mark.parametrize("text", ["100-149,0-9", "0-9,5-20", "-5,0-1"])
def test_ranges_that_do_not_ascend_get_the_whole(kept: Laid, text: str) -> None:
    kept.viewer.get("/v")
    reply = part(kept, text)
    assert (reply.status, reply.body, reply.cache) == (200, BODY, "Hit")


def test_of_several_ranges_those_outside_are_left_out(kept: Laid) -> None:
    kept.viewer.get("/v")
    reply = part(kept, f"0-9,{len(BODY)}-")
    assert (reply.status, reply.body, reply.headers["content-range"]) == (206, BODY[:10], f"bytes 0-9/{len(BODY)}")


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 20)), max_size=12))
def test_pieces_cover_what_was_added_and_nothing_else(added: list[tuple[int, int]]) -> None:
    pieces = Pieces(100, Memory(100), on_disk=False)
    here: set[int] = set()
    for start, count in added:
        pieces.add(Span(start, start + count))
        here |= set(range(start, start + count))
    assert pieces.held == len(here)
    for start in range(0, 75, 7):
        for end in range(start, 75, 5):
            assert pieces.covers(Span(start, end)) is (set(range(start, end)) <= here)
