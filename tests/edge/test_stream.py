"""A body on its way, and viewers who read it at their own pace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from keyfront.edge.cache.bodies import Memory
from keyfront.edge.cache.stream import Stream
from keyfront.edge.origin.failures import BrokenBodyError

CHUNK = b"x" * 65_536


async def whole(chunks: AsyncIterator[bytes]) -> int:
    return sum([len(chunk) async for chunk in chunks])


async def fill(stream: Stream, count: int) -> None:
    for _ in range(count):
        await stream.write(CHUNK)
    stream.end()


def test_a_viewer_who_stalls_holds_up_nobody_and_is_broken_off() -> None:
    async def scene() -> None:
        stream = Stream(None, most_behind=1_000_000)
        slow, fast = stream.chunks(), stream.chunks()
        beginning = asyncio.gather(anext(slow), anext(fast))
        writing = asyncio.ensure_future(fill(stream, 100))
        await beginning
        assert await whole(fast) == 99 * len(CHUNK)
        await writing
        with pytest.raises(BrokenBodyError, match="behind"):
            await whole(slow)

    asyncio.run(scene())


def test_the_origin_waits_for_the_only_viewer() -> None:
    async def scene() -> None:
        stream = Stream(None, most_behind=1)
        only = stream.chunks()
        writing = asyncio.ensure_future(fill(stream, 100))
        await anext(only)
        for _ in range(200):
            await asyncio.sleep(0)
        assert stream.reached < 20 * len(CHUNK)
        assert await whole(only) == 99 * len(CHUNK)
        await writing

    asyncio.run(scene())


def test_what_is_stored_is_there_for_who_comes_late_also_when_storing_stops() -> None:
    async def scene() -> None:
        stream = Stream(Memory(), most_behind=1_000_000)
        for _ in range(4):
            await stream.write(CHUNK)
        stream.stop_storing()
        late = stream.chunks()
        reading = asyncio.ensure_future(whole(late))
        await fill(stream, 50)
        assert await reading == 54 * len(CHUNK)

    asyncio.run(scene())


def test_a_failure_reaches_everyone_after_what_there_was() -> None:
    async def scene() -> None:
        stream = Stream(Memory(), most_behind=1)
        await stream.write(CHUNK)
        stream.fail(BrokenBodyError(502, "it broke"))
        for _ in range(2):
            chunks = stream.chunks()
            assert await anext(chunks) == CHUNK
            with pytest.raises(BrokenBodyError, match="it broke"):
                await anext(chunks)

    asyncio.run(scene())
