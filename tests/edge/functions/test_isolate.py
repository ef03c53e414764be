"""The engine: Amazon's modules with the right values, and the limits."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyfront.edge.functions.isolate import Isolate

SECOND = "cloudfront-js-2.0"
_ISOLATES: dict[str, Isolate] = {}


def run(code: str, event: Any = None, *, store: Any = None) -> dict[str, Any]:
    """The result of a handler with this body. Isolates are kept, since a context takes some milliseconds."""
    key = f"{code} {store}"
    if key not in _ISOLATES:
        source = code if "handler" in code else f"async function handler(event) {{ {code} }}"
        _ISOLATES[key] = Isolate(source, SECOND, json.dumps(store) if store else None)
    result: dict[str, Any] = json.loads(_ISOLATES[key].run(json.dumps(event)))
    return result


def value(code: str, event: Any = None, *, store: Any = None) -> Any:
    result = run(code, event, store=store)
    assert "error" not in result, result["error"]
    return result["value"]


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=150), st.binary(max_size=80))
def test_hashes_are_those_of_openssl(text: str, key: bytes) -> None:
    text = text.encode("utf-8", "ignore").decode()
    code = (
        "const crypto = require('crypto'); return ['md5', 'sha1', 'sha256'].map((name) =>"
        " [crypto.createHash(name).update(event.text).digest('hex'),"
        " crypto.createHmac(name, Buffer.from(event.key, 'base64')).update(event.text).digest('base64')]);"
    )

    got = value(code, {"text": text, "key": base64.b64encode(key).decode()})

    content = text.encode()
    for name, (digest, mac) in zip(("md5", "sha1", "sha256"), got, strict=True):
        assert digest == hashlib.new(name, content).hexdigest()
        assert base64.b64decode(mac) == hmac.new(key, content, name).digest()


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=60), st.text(max_size=40))
def test_bytes_and_texts_survive_their_encodings(content: bytes, text: str) -> None:
    text = text.encode("utf-8", "ignore").decode()
    got = value(
        "const b = Buffer.from(event.b64, 'base64'); return [b.toString('hex'), b.toString('base64'), b.toString(),"
        " b.toString('base64url'), new TextDecoder().decode(new TextEncoder().encode(event.text))];",
        {"b64": base64.b64encode(content).decode(), "text": text},
    )

    assert got[0] == content.hex()
    assert got[1] == base64.b64encode(content).decode()
    assert got[3] == base64.urlsafe_b64encode(content).decode().rstrip("=")
    assert got[4] == text
    if "\ufffd" not in content.decode("utf-8", "replace"):
        assert got[2] == content.decode()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.text("xy %&=+é'!", max_size=4)), max_size=4))
def test_querystring_is_read_back(pairs: list[tuple[str, str]]) -> None:
    wanted: dict[str, list[str]] = {}
    for name, each in pairs:
        wanted.setdefault(name, []).append(each)

    text, read = value(
        "const qs = require('querystring'); const s = qs.stringify(event); return [s, qs.parse(s)];", wanted
    )

    assert parse_qs(text, keep_blank_values=True) == wanted
    assert {name: each if isinstance(each, list) else [each] for name, each in read.items()} == wanted


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("return eval('1');", "eval is disabled"),
        ("return Function('return 1')();", "the Function constructor is disabled"),
        ("return (function () {}).constructor('return 1');", "the Function constructor is disabled"),
        (
            "async function other() {} function handler() { return other.constructor('return 1'); }",
            "the Function constructor is disabled",
        ),
        ("return require('fs');", 'Cannot find module "fs"'),
        ("setTimeout(() => 1, 1);", "setTimeout is not defined"),
        ("return fetch('https://example.com');", "fetch is not defined"),
        ("import cf from 'cloudfront';\nfunction handler() { return cf.nothing(); }", 'no method "nothing"'),
        ("import cf from 'cloudfront';\nfunction handler() { return cf.kvs(); }", "no key value store is associated"),
        ("for (;;);", "more than the maximum of processor time"),
        ("for (;;) await 0;", "more than the maximum of processor time"),
        ("(function f() { f(); })();", "Maximum call stack size exceeded"),
        ("const a = []; for (;;) a.push('x'.repeat(9999) + a.length);", "out of memory"),
        ("return {get a() { throw new Error('mine'); }};", "mine at line 1"),
        ("return {toJSON() { for (;;); }};", "more than the maximum of processor time"),
        ("throw null;", "Uncaught null"),
        ("undeclared = 1;", "undeclared is not defined"),
        ("const a = Object.freeze({b: 1}); a.b = 2;", "read-only"),
        ("function handler() { var x = ; }", "SyntaxError"),
        ("var handler = 1;", "no function named handler"),
    ],
)
def test_what_the_runtime_lacks_and_limits(code: str, error: str) -> None:
    assert error in run(code)["error"]


def test_the_clock_stands_still_during_a_run() -> None:
    code = (
        "const start = Date.now(); for (let i = 0; i < 20000; i++) Math.sqrt(i); const later = new Date();"
        " return [Date.now() - start, later.getTime() - start, new Date(5).getTime(), Date.UTC(1970, 0, 1, 0, 0, 1),"
        " new Date(2020, 0).getFullYear(), later instanceof Date, later.constructor === Date, start, Date()];"
    )

    first, second = value(code), value(code)

    assert first[:7] == [0, 0, 5, 1000, 2020, True, True]
    assert time.time() * 1000 >= first[7] > 1_700_000_000_000
    assert first[8][:3] in ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    assert second[7] >= first[7]


def test_a_store_is_read_in_three_formats() -> None:
    store = {"id": "s", "created": "c", "modified": "m", "values": [["a", "é"], ["j", '{"x": [1]}']]}
    code = (
        "import cf from 'cloudfront';\nconst kvs = cf.kvs('s');\nasync function handler() {\n"
        " let missing; try { await kvs.get('none'); } catch (error) { missing = error.message; }\n"
        " return [await kvs.get('a'), await kvs.get('j', {format: 'json'}),"
        " (await kvs.get('a', {format: 'bytes'})).length,"
        " await kvs.exists('none'), await kvs.count(), await kvs.meta(), missing]; }"
    )

    got = value(code, store=store)

    meta = {"creationDateTime": "c", "lastUpdatedDateTime": "m", "keyCount": 2}
    assert got[:6] == ["é", {"x": [1]}, 2, False, 2, meta]
    assert "key not found" in got[6]


POLLUTIONS = (
    "Object.prototype.leak = 1;",
    "({}).__proto__.leak = 1;",
    "leak = 1;",
    "globalThis.leak = 1;",
    "event.o[event.key].leak = 1;",
    "JSON.parse = () => ({leak: 1});",
    "Array.prototype.map = () => 'leak';",
    "console.log = null;",
)


@pytest.mark.parametrize("code", POLLUTIONS)
def test_no_run_leaves_anything_for_the_next(code: str) -> None:
    body = (
        "const seen = [typeof leak, ({}).leak, JSON.parse('{}').leak, [1].map((x) => x)[0], typeof console.log];"
        f" if (event.go) {{ try {{ {code} }} catch (_) {{}} }} return seen;"
    )
    event = {"o": {}, "key": "__proto__", "go": True}

    first, second = value(body, event), value(body, {**event, "go": False})

    assert first == second == ["undefined", None, None, 1, "function"]


@settings(max_examples=40, deadline=None)
@given(st.text("(){}[];=+-.,'\"`/*ax0 \n\\$:?!<>&|", max_size=40))
def test_any_code_gives_a_result(code: str) -> None:
    result = json.loads(Isolate(f"function handler(e) {{ {code} }}", SECOND, None).run("{}"))

    assert ("value" in result) != ("error" in result)
