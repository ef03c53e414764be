"""Keys, and tables of URLs in files."""

import csv
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from keyfront import Signer, SigningKey

ID = "K2JCJMDEHXQW5F"


@pytest.fixture(scope="session")
def key() -> SigningKey:
    return SigningKey.generate("ecdsa")


@pytest.fixture(scope="session")
def signer(key: SigningKey) -> Signer:
    return Signer(ID, key)


@pytest.fixture
def write_csv(tmp_path: Path) -> Callable[..., Path]:
    """A CSV file with a column `url`."""

    def write(urls: Iterable[str], name: str = "links.csv") -> Path:
        path = tmp_path / name
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([["url"], *([url] for url in urls)])
        return path

    return write


@pytest.fixture
def read_csv() -> Callable[[Path], list[dict[str, str]]]:
    """The rows of a CSV file by its columns' names."""

    def read(path: Path) -> list[dict[str, str]]:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    return read
