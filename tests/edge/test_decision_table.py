"""The table of decisions (`decisions/*.toml`), every row of it asked of a real edge and of `keyfront authz`.

A rule names its source and holds rows; a row's members come before its rule's.

- What is asked: `ask` (the target, to the byte; `{send}` stands where the signing parameters go, else they are
  appended), `method`, `host`, `door` (`http`, `https`, `ipv6`), `headers`, `cookie`, `body`, `ahead` (seconds that
  the edge's clock is ahead).
- How it is signed, in `sign`: `key`, `id`, `hash`, `encoding` and `form` of the signature, `as` (`url`, `cookies`);
  `resource` or `policy` for a custom policy, `url` and `expires` for a canned one; `sent` is the policy that travels
  in place of the signed one, `send` the text in which everything travels. `{now+60}`, `{url}` and `{host}` are filled
  in. Without `sign` nothing is signed.
- What is configured: `behaviors`, `aliases`, `enabled`, `root`, `errors`, `geo` (a restriction; 127.0.0.0/8 is in
  DE), and `origin_status` of the origin's answer.
- What is expected: `refused` (one of CloudFront's codes) or `status`; `reason` (ours), `cache`, `says` (in the body),
  `location`; `origin` is what the origin is asked, by default what was asked of the edge for 200, and nothing else.
"""

from __future__ import annotations

import re
import socket
import ssl
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from tests.edge.authz.agreement import COUNTRIES, UNTOLD, assert_authz_agrees
from tests.keys import shared_rsa

from keyfront.core import encoding
from keyfront.core.keys import SigningKey
from keyfront.edge.configuration import configure
from keyfront.edge.request.admission import Door
from keyfront.edge.server.asgi import application
from keyfront.edge.server.certificates import Authority
from keyfront.inventory import CustomErrorResponse, GeoRestriction, Inventory, KeyGroup, TrustedKey
from keyfront.web.serving import TLS, Listener, bind

if TYPE_CHECKING:
    from tests.edge.conftest import Laid, Lay, Reply, Viewer
    from tests.servers import Loop

Row = Mapping[str, Any]

FOLDER = Path(__file__).parent / "decisions"
HOST = "d1.cloudfront.localhost"
MESSAGES = {
    "MissingKey": "Missing Key-Pair-Id query parameter or cookie value",
    "InvalidKey": "Unknown Key",
    "MalformedPolicy": "Malformed Policy",
    "MalformedSignature": "Could not unencode Signature",
    "AccessDenied": "Access denied",
}
# Names of keys in `sign`, and the ids under which the account has them; `stranger` is in no group.
KEYS = {"rsa": "K1RSA", "ecdsa": "K2ECDSA", "second": "K3SECOND", "stranger": "K4STRANGER"}
GROUPS = {"g1": ("K1RSA", "K2ECDSA"), "g2": ("K3SECOND",), "empty": (), "lost": ("K9GONE",)}
PARAMETERS = ("Expires", "Policy", "Signature", "Key-Pair-Id", "Hash-Algorithm")
KNOWN = {
    *("id", "source", "wrong_turn", "ask", "method", "host", "door", "headers", "cookie", "body", "ahead", "sign"),
    *("behaviors", "aliases", "enabled", "root", "errors", "geo", "origin_status"),
    *("refused", "status", "reason", "cache", "says", "location", "origin"),
}
# Every wrong turn of CLOUDFRONT.md, section 10, that an edge can see. It cannot see three: a PEM whose line breaks
# were lost and PKCS#8 given to a tool that reads PKCS#1 (nothing is signed), and an answer kept by a browser (nothing
# is asked).
WRONG_TURNS = {
    "expiry in milliseconds",
    "S3 URL signed",
    "Expires and Policy both present",
    "key id undefined",
    "IAM access key id",
    "private key of another pair",
    "standard base64",
    "base64url",
    "policy re-serialised",
    "parameters added after signing",
    "percent-encoding of ~ changed",
    "space changed to +",
    "cookies encoded by a framework",
    "cookies for the wrong domain",
    "cookies for the wrong path",
    "cookies without Secure",
    "wildcard in a canned policy",
    "policy for http used on https",
    "CNAME signed, cloudfront.net requested",
    "cloudfront.net signed, CNAME requested",
    "wrong clock",
    "SHA-256 without the parameter",
    "raw ECDSA signature",
    "IAM-style policy",
    "still deploying",
    "group on another behavior",
    "earlier behavior matches first",
    "origin's own 403",
}


def rows() -> Iterator[Row]:
    for file in sorted(FOLDER.glob("*.toml")):
        for rule in tomllib.loads(file.read_text(encoding="utf-8"))["rule"]:
            shared = {name: value for name, value in rule.items() if name != "rows"}
            for row in rule["rows"]:
                whole = {**shared, **row}
                if isinstance(shared.get("sign"), dict) and isinstance(row.get("sign"), dict):
                    whole["sign"] = {**shared["sign"], **row["sign"]}
                yield whole


ROWS = list(rows())


def test_the_table_is_whole_and_every_row_names_its_source() -> None:
    ids = [row["id"] for row in ROWS]
    assert len(ids) == len(set(ids)) >= 150
    for row in ROWS:
        assert not row.keys() - KNOWN, row["id"]
        assert re.match(r"Developer Guide, |API model, |RFC \d+|assumed|public bug reports", row["source"]), row["id"]
        assert ("refused" in row) != ("status" in row), row["id"]
    named = {row["wrong_turn"] for row in ROWS if "wrong_turn" in row}
    assert named == WRONG_TURNS


@pytest.fixture(scope="module")
def keys(signing_key: SigningKey) -> dict[str, SigningKey]:
    return {
        "rsa": signing_key,
        "ecdsa": SigningKey.generate("ecdsa"),
        "second": shared_rsa(1),
        "stranger": shared_rsa(2),
    }


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[TLS, Authority]:
    authority = Authority(tmp_path_factory.mktemp("authority"))
    return authority.server([]), authority


@pytest.fixture
def behind(lay: Lay, loop: Loop, viewer_class: type[Viewer], certificate: tuple[TLS, Authority]) -> Iterator[Any]:
    """An edge, and a viewer that comes to it through one of its doors."""
    opened: list[Listener] = []

    def come(door: str) -> tuple[Laid, Viewer]:
        laid = lay(Door(https_port=443), countries=COUNTRIES)
        if door == "http":
            return laid, laid.viewer
        host = "::1" if door == "ipv6" else "127.0.0.1"

        async def start() -> Listener:
            tls = certificate[0] if door == "https" else None
            listener = Listener(application(laid.edge, Door(443)), bind(host, 0), tls=tls)
            listener.start()
            return listener

        listener = loop.run(start())
        opened.append(listener)
        context = ssl.create_default_context(cafile=str(certificate[1].certificate)) if door == "https" else None

        def connect() -> socket.socket:
            connection = socket.create_connection((host, listener.port), timeout=20)
            return context.wrap_socket(connection, server_hostname=HOST) if context else connection

        viewer = viewer_class(listener.port)
        viewer.connect = connect  # type: ignore[method-assign]
        return laid, viewer

    yield come
    for listener in opened:
        loop.run(listener.stop())


@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_the_edge_decides_as_the_table_says(row: Row, behind: Any, keys: dict[str, SigningKey]) -> None:
    laid, viewer = behind(row.get("door", "http"))
    inventory = account(row, laid, keys)
    laid.edge.configuration = configure(inventory)
    laid.clock.ahead = row.get("ahead", 0)
    target, cookie = signed(row, keys, int(laid.clock() - laid.clock.ahead))
    own = row["ask"].replace("?{send}&", "?").replace("?{send}", "").replace("&{send}", "")
    asked = row.get("origin", [own] if row.get("status") == 200 else [])
    for each in {each.partition("?")[0] for each in asked}:
        laid.origin.answer(each, b"the file", status=row.get("origin_status", 200))
    method = row.get("method", "GET")
    headers = {**row.get("headers", {}), **({"Cookie": cookie} if cookie else {})}
    body = row["body"].encode() if "body" in row else None
    reply = viewer.ask(method, target, host=row.get("host", HOST), headers=headers, body=body)
    assert laid.outcomes[-1].reason == row.get("reason", laid.outcomes[-1].reason)
    assert_answered(row, reply, laid.outcomes[-1].reason)
    assert [(each.method, each.target) for each in laid.origin.asked] == [(method, each) for each in asked]
    if row["id"] not in UNTOLD:
        assert_authz_agrees(row, inventory, laid, (target, cookie), reply)


def assert_answered(row: Row, reply: Reply, reason: str) -> None:
    if code := row.get("refused"):
        start = '<?xml version="1.0" encoding="UTF-8"?>'
        body = f"{start}<Error><Code>{code}</Code><Message>{MESSAGES[code]}</Message></Error>".encode()
        assert (reply.status, reply.body) == (403, body if row.get("method") != "HEAD" else b""), reason
        assert (reply.headers["content-type"], reply.headers["server"]) == ("text/xml", "CloudFront")
        assert reply.headers["content-length"] == str(len(body))
    else:
        assert reply.status == row["status"], reason
    if row.get("status") == 200 and row.get("method") != "HEAD":
        assert row.get("says", "the file").encode() in reply.body
    assert row.get("says", "").encode() in reply.body
    assert reply.cache == row.get("cache", "Miss" if row.get("status") == 200 else "Error")
    assert reply.headers.get("location") == row.get("location")


def account(row: Row, laid: Laid, keys: dict[str, SigningKey]) -> Inventory:
    names = {"groups": "trusted_key_groups", "protocol": "viewer_protocol_policy", "methods": "allowed_methods"}
    behaviors = []
    for each in row.get("behaviors", [{"groups": ["g1"]}]):
        changes = {names.get(name, name): value for name, value in each.items() if name != "path"}
        changes = {name: tuple(value) if isinstance(value, list) else value for name, value in changes.items()}
        changes["cache_policy_id"] = "4cc15a8a-d715-48a4-82b8-cc0b614638fe"  # every parameter reaches the origin
        signers = changes.pop("trusted_signers", ())
        behavior = laid.behavior(each.get("path", "*"), **changes)
        behaviors.append(replace(behavior, protected=True, trusted_signers=signers) if signers else behavior)
    errors = tuple(CustomErrorResponse(*each) for each in row.get("errors", []))
    distribution = laid.distribution(
        *behaviors,
        domain_name=HOST,
        aliases=tuple(row.get("aliases", ())),
        enabled=row.get("enabled", True),
        default_root_object=row.get("root", ""),
        custom_errors=errors,
        geo_restriction=GeoRestriction(*row["geo"]) if "geo" in row else GeoRestriction(),
    )
    return Inventory(
        distributions=(distribution,),
        key_groups={name: KeyGroup(name, name, ids) for name, ids in GROUPS.items()},
        keys={key_id: TrustedKey(key_id, name, keys[name].public_key) for name, key_id in KEYS.items()},
    )


def signed(row: Row, keys: dict[str, SigningKey], now: int) -> tuple[str, str]:
    """The target that is asked, with what its signature adds to it, and the Cookie header."""
    ask, sign = row["ask"], row.get("sign")
    host, scheme = row.get("host", HOST), "https" if row.get("door") == "https" else "http"
    url = f"{scheme}://{host}{ask}".replace("?{send}&", "?").replace("?{send}", "").replace("&{send}", "")
    known = {"url": url, "host": host}
    if sign is None:
        return fill(ask, known, now), fill(row.get("cookie", ""), known, now)
    custom = "policy" in sign or "resource" in sign
    expires = fill(sign.get("expires", "{now+60}"), known, now)
    resource = fill(sign.get("resource", sign.get("url", "{url}")), known, now)
    end = f'"Condition":{{"DateLessThan":{{"AWS:EpochTime":{expires}}}}}'
    policy = fill(sign.get("policy", f'{{"Statement":[{{"Resource":"{resource}",{end}}}]}}'), known, now)
    key, hashed = sign.get("key", "rsa"), sign.get("hash", "SHA1")
    signature = keys[key].sign(policy.encode("latin-1"), hashed)
    if sign.get("form") == "raw":
        signature = b"".join(number.to_bytes(32, "big") for number in decode_dss_signature(signature))
    known |= {
        "policy": encode(fill(sign.get("sent", policy), known, now).encode("latin-1"), sign.get("encoding", "")),
        "signature": encode(signature, sign.get("encoding", "")),
        "quoted": "".join(f"%{ord(character):02X}" for character in encode(signature, sign.get("encoding", ""))),
        "expires": expires,
        "id": sign.get("id", KEYS[key]),
        "hash": hashed,
    }
    first = "Policy={policy}" if custom else "Expires={expires}"
    tail = "&Hash-Algorithm={hash}" if hashed != "SHA1" else ""
    send = fill(sign.get("send", f"{first}&Signature={{signature}}&Key-Pair-Id={{id}}{tail}"), known, now)
    if sign.get("as") == "cookies":
        cookies = "; ".join(f"CloudFront-{part}" for part in send.split("&"))
        return fill(ask, known, now), fill(row.get("cookie", "{cookies}"), {**known, "cookies": cookies}, now)
    joint = "" if "{send}" in ask or not send else "&{send}" if "?" in ask else "?{send}"
    known["send"] = send
    return fill(ask + joint, known, now), fill(row.get("cookie", ""), known, now)


def fill(text: str, known: Mapping[str, str], now: int) -> str:
    """`text` with `{name}` and `{now+60}` filled in; a policy's own braces stay."""
    text = re.sub(r"\{now([+-]\d+)?\}", lambda found: str(now + int(found[1] or 0)), text)
    return re.sub(r"\{([a-z]+)\}", lambda found: known.get(found[1], found[0]), text)


def encode(data: bytes, alphabet: str) -> str:
    text = encoding.encode(data)
    if alphabet == "base64":
        return text.translate(str.maketrans("-_~", "+=/"))
    if alphabet == "base64url":
        return text.replace("_", "").replace("~", "_")
    return text
