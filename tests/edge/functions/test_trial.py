"""A function under test, as `edge_function` of the pytest plugin gives it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from keyfront.edge.functions import runtime
from keyfront.errors import InputError
from keyfront.testing.functions import FunctionFailed, FunctionUnderTest

Load = Callable[..., FunctionUnderTest]


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Load]:
    made: list[FunctionUnderTest] = []

    def make(code: str, **options: object) -> FunctionUnderTest:
        (tmp_path / "f.js").write_text(code)
        made.append(FunctionUnderTest(tmp_path / "f.js", **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_a_function_is_called_with_a_path_or_an_event(load: Load) -> None:
    function = load("function handler(e) { console.log('hi'); e.request.uri += 'x'; return e.request; }")

    assert function("/a/")["uri"] == "/a/x"
    assert function.logs == ("hi",)
    response = {"statusCode": 200, "headers": {"via": {"value": "x"}}, "cookies": {}}
    event = {"context": {"eventType": "viewer-response"}, "request": {"uri": "/"}, "response": response}
    assert load("function handler(e) { return e.response; }")(event) == response


def test_what_viewers_would_not_get_fails(load: Load, tmp_path: Path) -> None:
    with pytest.raises(FunctionFailed, match="boom at line 1"):
        load("function handler(e) { throw new Error('boom'); }")("/")
    with pytest.raises(FunctionFailed, match="read-only header"):
        load("function handler(e) { e.request.headers.host = {value: 'x'}; return e.request; }")("/")
    with pytest.raises(InputError, match="cannot be read"):
        FunctionUnderTest(tmp_path / "none.js")
    with pytest.raises(InputError, match=r"choose cloudfront-js-1\.0"):
        load("", runtime="nodejs20.x")


def test_runtime_1_has_what_it_has(load: Load) -> None:
    function = load(
        "function handler(e) { return {statusCode: 200, body: [typeof Buffer, typeof Map, typeof setTimeout,"
        " String.bytesFrom('aGk', 'base64url'),"
        " require('crypto').createHash('md5').update('a').digest('hex')].join()}; }",
        runtime="cloudfront-js-1.0",
    )

    assert function("/")["body"] == "undefined,undefined,undefined,hi,0cc175b9c0f1b6a831c399e269772661"


def test_byte_strings_are_of_runtime_1_alone(load: Load) -> None:
    code = (
        "function handler(e) { return {statusCode: 200, body: [typeof String.bytesFrom, typeof 'a'.toBytes,"
        " 'user:ü'.toString('base64'),"
        " require('crypto').createHash('md5').update('a').digest().toString('hex')].join()}; }"
    )

    first, second = (load(code, runtime=f"cloudfront-js-{each}")("/")["body"] for each in ("1.0", "2.0"))

    assert first == "function,function,dXNlcjrDvA==,0cc175b9c0f1b6a831c399e269772661"
    assert second == "undefined,undefined,user:ü,0cc175b9c0f1b6a831c399e269772661"


def test_a_missing_engine_is_named(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(runtime._PACKAGES, "no_such_engine", "no-such-engine")

    with pytest.raises(FunctionFailed, match=r"no-such-engine is not installed: .*functions"):
        load("function handler(e) { return e.request; }")("/")
