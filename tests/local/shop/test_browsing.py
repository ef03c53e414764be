"""What a visitor looks at: addresses, folders and neighbours."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyfront.local.shop.browsing import Folder, View, folders_of, neighbours

KEYS = ["a.pdf", "music/2024/1.flac", "music/2024/2.flac", "music/2025/live/3.mp3", "Books/x.epub", "musical.pdf"]


def test_folders_are_those_directly_there_with_all_that_is_below() -> None:
    assert folders_of(KEYS, "") == (Folder("Books", "Books", 1), Folder("music", "music", 3))
    assert folders_of(KEYS, "music") == (Folder("2024", "music/2024", 2), Folder("2025", "music/2025", 1))
    assert folders_of(KEYS, "music/2024") == folders_of(KEYS, "nowhere") == folders_of(KEYS, "mus") == ()


def test_a_view_knows_the_way_to_it() -> None:
    view = View.of({"folder": "/music/2024/", "sort": "price", "page": "3"})
    assert view.trail == (("music", "music"), ("2024", "music/2024"))
    assert view.href == "/?folder=music%2F2024&sort=price&page=3"
    assert view.into("").href == "/?sort=price"
    assert view.by("").at(2).href == "/?folder=music%2F2024&page=2"
    assert View().href == "/"


@pytest.mark.parametrize("query", [{"page": "0"}, {"page": "-1"}, {"page": "1e3"}, {"page": "٣"}, {"sort": "position"}])
def test_what_cannot_be_meant_is_the_beginning(query: dict[str, str]) -> None:
    assert View.of(query) == View()


@given(st.dictionaries(st.sampled_from(["q", "folder", "sort", "page"]), st.text(max_size=90)))
def test_an_address_asks_for_the_view_that_it_came_from(query: dict[str, str]) -> None:
    view = View.of(query)
    assert View.of(dict(parse_qsl(urlsplit(view.href).query))) == view


@given(st.lists(st.sampled_from("abcdefgh"), unique=True), st.sampled_from("abcdefgh"))
def test_neighbours_are_each_others(ids: list[str], item: str) -> None:
    before, after = neighbours(ids, item)
    if after is not None:
        assert neighbours(ids, after)[0] == item
    if before is not None:
        assert neighbours(ids, before)[1] == item
    assert (before, after) != (None, None) or len(ids) < 2 or item not in ids
