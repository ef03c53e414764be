"""The shop of `keyfront up` opens with the first request."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import boto3
import httpx
import pytest
from tests.backend.conftest import serving

from keyfront.local.shop import load_shop
from keyfront.local.shop_port import LocalShop
from keyfront.web.local import LocalOnly


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    files = tmp_path_factory.mktemp("files")
    (files / "first.pdf").write_text("first")
    return files


@pytest.fixture
def shop(folder: Path, files: Path) -> Iterator[httpx.Client]:
    ssm = boto3.client("ssm", "us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
    store = LocalShop(load_shop(files), files, base_url="http://d1.test", parameter="/key", ssm=ssm)
    with serving(LocalOnly(store, browsers=True)) as client:
        client.headers["Accept"] = "text/html"
        yield client
    store.stop()
    assert not [*folder.iterdir()]


def test_a_shop_that_cannot_open_says_so_and_opens_later(
    shop: httpx.Client, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (purchases,) = folder.iterdir()
    away = purchases.rename(folder / "away")
    refused = shop.get("/")
    assert refused.status_code == 503
    assert refused.text == "The shop does not open. The log of keyfront up says why.\n"
    assert "the shop does not open" in caplog.text
    assert "unable to open database file" in caplog.text
    away.rename(purchases)
    assert "First" in shop.get("/").text


def test_a_file_that_came_before_the_first_request_is_in_the_shop(shop: httpx.Client, files: Path) -> None:
    (files / "second.pdf").write_text("second")
    assert "Second" in shop.get("/").text
