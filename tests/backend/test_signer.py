"""Where the service's key comes from, whether it is CloudFront's, and how often it signs."""

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import httpx
import pytest
from moto import mock_aws
from sqlalchemy import Engine
from tests.backend.conftest import KEY_PAIR_ID, Issuer

from keyfront.backend import Item, Settings, create_app, seed
from keyfront.backend.service.settings import LinkReuse
from keyfront.core.keys import SigningKey
from keyfront.core.verification import ViewerRequest, verify
from keyfront.keystore import KeyStore, SignerDocument
from keyfront.web.types import ASGIApp

Serve = Callable[[ASGIApp], AbstractContextManager[httpx.Client]]

ENVIRONMENT = {
    "CLOUDFRONT_DOMAIN": "d111111abcdef8.cloudfront.net",
    "JWT_SECRET": "s" * 32,
    "JWT_ISSUER": "https://login.example.com/",
    "JWT_AUDIENCE": "shop",
}


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    # moto's own ids are random, and one of 26 looks like a distribution's.
    monkeypatch.setattr("moto.cloudfront.models.random_id", lambda **_: "K2JCJMDEHXQW5F")
    with mock_aws():
        yield


def uploaded(key: SigningKey) -> str:
    config = {"CallerReference": "r", "Name": "n", "EncodedKey": key.public_key.pem, "Comment": ""}
    client = boto3.client("cloudfront", region_name="us-east-1")
    return client.create_public_key(PublicKeyConfig=config)["PublicKey"]["Id"]  # type: ignore[arg-type]


@pytest.mark.parametrize("fits", [True, False])
def test_a_key_that_is_not_cloudfronts_signs_nothing(
    account: None,
    fits: bool,
    signing_key: SigningKey,
    tmp_path: Path,
    engine: Engine,
    serve: Serve,
    caplog: pytest.LogCaptureFixture,
) -> None:
    there = uploaded(signing_key if fits else SigningKey.generate("ecdsa"))
    document = tmp_path / "signer.json"
    document.write_text(SignerDocument(there, signing_key).to_json())
    document.chmod(0o600)
    settings = Settings.from_environment({**ENVIRONMENT, "SIGNER": f"file:{document}"})
    with caplog.at_level(logging.ERROR), serve(create_app(settings, engine=engine)) as client:
        status = client.get("/readyz").status_code
    if fits:
        assert status == 200
    else:
        assert status == 503
        assert f"the private key is not that of {there}" in caplog.text


def test_the_check_can_be_left_out(
    account: None, signing_key: SigningKey, tmp_path: Path, engine: Engine, serve: Serve
) -> None:
    document = tmp_path / "signer.json"
    document.write_text(SignerDocument("KNOWHERE", signing_key).to_json())
    document.chmod(0o600)
    settings = Settings.from_environment({**ENVIRONMENT, "SIGNER": f"file:{document}", "CHECK_KEY": "false"})
    with serve(create_app(settings, engine=engine)) as client:
        assert client.get("/readyz").status_code == 200


@pytest.mark.parametrize(("kind", "signatures"), [(None, 4), ("file", 2), ("area", 1)])
def test_signatures_are_used_again_as_the_setting_says(
    kind: LinkReuse | None,
    signatures: int,
    settings: Settings,
    engine: Engine,
    keystore: KeyStore,
    issuer: Issuer,
    signing_key: SigningKey,
    serve: Serve,
) -> None:
    books = [Item(name, name, f"books/{name}.pdf") for name in ("one", "two")]
    seed(engine, books, (), [("mara", "one"), ("mara", "two")])
    headers = {"authorization": f"Bearer {issuer.token()}"}
    made = set()
    with serve(create_app(replace(settings, link_reuse=kind), engine=engine, keystore=keystore)) as client:
        for item in ("one", "two", "one", "two"):
            answer = client.post("/api/links", json={"item": item}, headers=headers).json()
            assert urlsplit(answer["url"]).path == f"/books/{item}.pdf"
            request = ViewerRequest(answer["url"])
            assert verify(request, {KEY_PAIR_ID: signing_key.public_key}, answer["expires"] - 1).allowed
            made.add(answer["url"].partition("Signature=")[2])
    assert len(made) == signatures
