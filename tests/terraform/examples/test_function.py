"""The quickstart's function: its package is its sources, and what it signs is what CloudFront lets in."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from keyfront import SigningKey

_QUICKSTART = Path(__file__).parents[3] / "terraform" / "examples" / "quickstart"
_ENVIRONMENT = {"CLOUDFRONT_DOMAIN": "d111111abcdef8.cloudfront.net", "PRIVATE_KEY_PARAMETER": "/shop/key"}

Handler = Callable[..., dict[str, Any]]


def test_the_package_is_exactly_the_sources(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("build", _QUICKSTART / "function" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    build.build(tmp_path / "function.zip")
    assert (tmp_path / "function.zip").read_bytes() == (_QUICKSTART / "function.zip").read_bytes()


@pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
@pytest.mark.parametrize("digest", ["SHA1", "SHA256"])
def test_it_redirects_to_a_link_that_the_key_signed(run_handler: Handler, kind: Any, digest: str) -> None:
    key = SigningKey.generate(kind)
    document = {"key_pair_id": "KDOCUMENT", "private_key": key.pem(), "hash_algorithm": digest}
    answer = run_handler({"rawPath": "/a film (1).mp4"}, json.dumps(document), _ENVIRONMENT)
    assert (answer["statusCode"], answer["headers"]["cache-control"]) == (303, "no-store")
    link = answer["headers"]["location"]
    assert link.startswith("https://d111111abcdef8.cloudfront.net/a%20film%20%281%29.mp4?Expires=")
    assert ("&Hash-Algorithm=SHA256" in link) == (digest == "SHA256")
    assert "&Key-Pair-Id=KDOCUMENT" in link
    assert 'asked for {"Name":"/shop/key","WithDecryption":true}' in answer["log"]


def test_a_pem_alone_goes_with_the_id_beside_it(run_handler: Handler) -> None:
    answer = run_handler(
        {"rawPath": "/a"}, SigningKey.generate("ecdsa").pem(), {**_ENVIRONMENT, "KEYPAIR_ID": "KBESIDE"}
    )
    assert answer["headers"]["location"].endswith("&Key-Pair-Id=KBESIDE")


@pytest.mark.parametrize("path", ["/", "/a//b", "/a/../b", "/a/%2e%2e/b", "/a%2Fb", "/%ff"])
def test_a_path_that_names_no_file_is_not_signed(run_handler: Handler, path: str) -> None:
    assert run_handler({"rawPath": path}, "unused", _ENVIRONMENT)["statusCode"] == 404


def test_another_method_is_not_signed(run_handler: Handler) -> None:
    event = {"rawPath": "/a", "requestContext": {"http": {"method": "POST"}}}
    assert run_handler(event, "unused", _ENVIRONMENT)["statusCode"] == 405


def test_a_broken_key_is_no_link_and_no_words_about_it(run_handler: Handler) -> None:
    answer = run_handler({"rawPath": "/a"}, "-----BEGIN something", _ENVIRONMENT)
    assert (answer["statusCode"], answer["body"]) == (500, "No link can be signed now.")
    assert "something" not in answer["log"]
