"""The examples with CloudFront functions: what a browser does with them, as it would at Amazon."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from datetime import timedelta
from email.message import Message
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request

import boto3
from tests.waiting import wait_until

from keyfront import Signer, SigningKey
from keyfront.inventory.functions import key_value_store_client

_SHORT = timedelta(minutes=5)
_CODE = "0123456789abcdef"
_ORIGIN = "https://www.example.com"


class Browser:
    """Asks one host, and keeps the cookies that it sets."""

    def __init__(self, laptop: Any, url: str) -> None:
        self._opener, self._url = laptop.opener, url
        self.cookies: dict[str, str] = {}
        self.headers = Message()

    def ask(self, path: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> int:
        """The status. `headers` has those of the response."""
        request = Request(self._url + path, headers=dict(headers or {}), method=method)
        if self.cookies:
            request.add_header("Cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        if method == "POST":
            request.data = b""
        try:
            answer = self._opener.open(request, timeout=60)
        except HTTPError as error:
            answer = error
        with answer:
            self.headers = answer.headers
            for line in answer.headers.get_all("Set-Cookie") or []:
                name, _, value = line.partition(";")[0].partition("=")
                self.cookies[name] = value
            status: int = answer.status
            return status


def token_links(place: Any) -> None:
    laptop, terraform = place.laptop, place.terraform
    terraform.initialise()
    key = SigningKey.generate("rsa")
    key.write(terraform.folder / "keys")
    outputs = terraform.apply()
    cookies = Signer(outputs["key_pair_id"], key).sign_cookies(f"{outputs['url']}/*", expires=_SHORT)
    session = boto3.Session("test", "test", region_name="us-east-1")
    pairs = key_value_store_client(session, laptop.printed["endpoint"])
    arn = outputs["tokens"]
    etag = pairs.describe_key_value_store(KvsARN=arn)["ETag"]
    pairs.put_key(KvsARN=arn, Key="t0k3n", Value=json.dumps(dict(cookies)), IfMatch=etag)
    browser = Browser(laptop, outputs["url"])

    assert browser.ask("/") == 403
    # The first run of a function may take too long on a busy machine.
    wait_until(lambda: browser.ask("/enter/other") == 404)
    wait_until(lambda: browser.ask("/enter/t0k3n") == 303)
    assert browser.headers["Location"] == "/"
    assert browser.cookies.keys() == cookies.keys()
    assert browser.ask("/") == 200
    terraform.destroy()


def private_app(place: Any) -> None:
    laptop, terraform = place.laptop, place.terraform
    with zipfile.ZipFile(terraform.folder / "function.zip", "w") as package:
        package.write(terraform.folder / "session.py", "session.py")
    terraform.variables.update(access_code=_CODE, allowed_origin=_ORIGIN)
    terraform.initialise()
    outputs = terraform.apply()
    browser = Browser(laptop, outputs["url"])
    preflight = {"Origin": _ORIGIN, "Access-Control-Request-Method": "POST"}

    assert browser.ask("/orders/42") == 403
    assert browser.ask("/orders/42", "OPTIONS", preflight) == 403  # before the function of this behavior
    wait_until(lambda: browser.ask("/session", "OPTIONS", preflight) == 204)
    assert browser.headers["Access-Control-Allow-Origin"] == _ORIGIN
    assert browser.headers["Access-Control-Allow-Credentials"] == "true"
    assert browser.ask("/session", "POST", {"Origin": _ORIGIN, "x-access-code": "wrong"}) == 401
    assert browser.cookies == {}
    # The host of the policy is CloudFront's, whatever a viewer says.
    own = {"Origin": _ORIGIN, "x-access-code": _CODE, "x-viewer-host": "elsewhere.example"}
    assert browser.ask("/session", "POST", own) == 204
    assert browser.headers["Access-Control-Allow-Origin"] == _ORIGIN
    assert browser.ask("/orders/42", headers={"Origin": _ORIGIN}) == 200
    assert browser.headers["Access-Control-Allow-Credentials"] == "true"
    terraform.destroy()
