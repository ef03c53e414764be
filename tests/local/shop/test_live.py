"""The catalogue follows its folder while the shop runs."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Engine

from keyfront.backend import connect, seed
from keyfront.backend.service.purchases import Purchases
from keyfront.local.shop import load_shop
from keyfront.local.shop.live import LiveCatalogue


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return connect(f"sqlite:///{tmp_path}/shop.db")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    for name in ("a.pdf", "b.pdf"):
        (folder / name).write_text(name)
    return folder


@pytest.fixture
def look(engine: Engine, folder: Path) -> Callable[[], dict[str, str]]:
    """Lets a second pass, and returns what is for sale then: titles by key."""
    clock, shop = Clock(), load_shop(folder)
    seed(engine, shop.items, shop.customers, shop.purchases)
    live = LiveCatalogue(shop, partial(load_shop, folder), engine, clock=clock)

    def look() -> dict[str, str]:
        clock.now += 1
        live.refresh()
        return {item.key: item.title for item in Purchases(engine).items().items}

    return look


def test_files_come_change_and_go(look: Callable[[], dict[str, str]], folder: Path, engine: Engine) -> None:
    assert list(look()) == ["a.pdf", "b.pdf"]
    (folder / "music").mkdir()
    (folder / "music" / "new.flac").write_text("new")
    assert list(look()) == ["a.pdf", "b.pdf", "music/new.flac"]
    (folder / "shop.toml").write_text('[[items]]\nfile = "b.pdf"\ntitle = "Second"\n')
    assert list(look().items())[:2] == [("b.pdf", "Second"), ("a.pdf", "A")]
    bought = {item.key for item in Purchases(engine).library("mara")}
    (folder / "a.pdf").unlink()
    assert "a.pdf" in bought
    assert list(look()) == ["b.pdf", "music/new.flac"]
    assert not Purchases(engine).library("mara")


def test_what_cannot_be_read_changes_nothing_and_is_told_once(
    look: Callable[[], dict[str, str]], folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = look()
    (folder / "new.pdf").write_text("new")
    (folder / "shop.toml").write_text("titel = 3")
    assert look() == look() == before
    (told,) = [record.message for record in caplog.records if record.name == "keyfront.shop"]
    assert "shop.toml has 'titel', which is not known" in told
    (folder / "shop.toml").unlink()
    assert "new.pdf" in look()


def test_it_looks_once_a_second_at_most(engine: Engine, folder: Path) -> None:
    looked: list[int] = []
    clock, shop = Clock(), load_shop(folder)

    def load() -> object:
        looked.append(1)
        return shop

    live = LiveCatalogue(shop, load, engine, clock=clock)  # type: ignore[arg-type]
    for moment in (0.5, 1.0, 1.2, 1.9, 2.0):
        clock.now = moment
        live.refresh()
    assert len(looked) == 2
