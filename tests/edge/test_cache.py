"""The cache itself: bounded by bytes, the least recently used goes first."""

import pytest

from keyfront.edge.cache.objects import Cache, CacheKey, Entry


def entry(size: int) -> Entry:
    return Entry(200, [], b"x" * size, {}, 0, 0, [])


def key(path: str) -> CacheKey:
    return CacheKey("E1", path, "")


SIZE = entry(10_000).size


@pytest.fixture
def cache() -> Cache:
    return Cache(3 * SIZE)


def test_what_was_asked_for_longest_ago_makes_room(cache: Cache) -> None:
    for name in "abc":
        cache.put(cache.ticket(key(name)), entry(10_000))
    assert cache.get(key("a")) is not None
    cache.put(cache.ticket(key("d")), entry(10_000))
    assert cache.get(key("b")) is None
    assert [cache.get(key(name)) is not None for name in "acd"] == [True, True, True]


def test_the_size_is_that_of_what_is_kept(cache: Cache) -> None:
    cache.put(cache.ticket(key("a")), entry(10_000))
    cache.put(cache.ticket(key("a")), entry(5_000))
    assert cache.size == entry(5_000).size
    cache.discard(key("a"))
    cache.discard(key("a"))
    assert (cache.size, len(cache)) == (0, 0)


def test_an_object_larger_than_the_cache_is_not_kept_and_drives_nothing_out(cache: Cache) -> None:
    cache.put(cache.ticket(key("a")), entry(10))
    cache.put(cache.ticket(key("b")), entry(100_000))
    assert cache.get(key("a")) is not None
    assert cache.get(key("b")) is None


def test_many_small_objects_stay_within_the_limit() -> None:
    cache = Cache(1_000_000)
    for number in range(5_000):
        cache.put(cache.ticket(key(str(number))), entry(number % 700))
    assert cache.size <= cache.limit
    assert len(cache) > 100
