"""Other bytes that may have been signed for the same policy: another JSON, other times, the encoded text.

Each change names the finding that it would prove. `search` verifies them.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import permutations

from keyfront.core import encoding
from keyfront.core.policy import canonical
from keyfront.explain.change import Change


def expiries(expires: int) -> Iterator[tuple[Change, str]]:
    """Yield other ways to write the time `expires` into a policy, as JSON."""
    yield Change("signed-time-differs", "the time was signed in milliseconds"), str(expires * 1000)
    if expires > 10**11:
        yield Change("signed-time-differs", "the time was signed in seconds"), str(expires // 1000)
        yield Change("signed-time-differs", "the time was signed in whole seconds"), str(round(expires / 1000))
    yield Change("time-is-text", "the time was signed as a string, in quotes"), f'"{expires}"'
    yield Change("signed-time-differs", "the time was signed as a decimal number"), f"{expires}.0"


def formats(resource: str, seconds: str) -> Iterator[tuple[Change, bytes]]:
    """Yield other ways to write a canned policy. Source: the SDKs, and the defaults of JSON libraries."""
    try:
        plain = canonical(resource, int(seconds))
        value: object = int(seconds)
    except ValueError:
        value = json.loads(seconds)
        plain = canonical(resource, 0).replace(b'"AWS:EpochTime":0', f'"AWS:EpochTime":{seconds}'.encode())
    statement = {"Resource": resource, "Condition": {"DateLessThan": {"AWS:EpochTime": value}}}
    yield from rewritten({"Statement": [statement]}, plain)
    yield _spaced({"Statement": statement}, "Statement was signed as an object, not as a list", (",", ":"))


def unescaped(resource: str, expires: int) -> bytes:
    """Return a canned policy with unescaped non-ASCII letters in its JSON, as most SDKs write it."""
    statement = {"Resource": resource, "Condition": {"DateLessThan": {"AWS:EpochTime": expires}}}
    text = json.dumps({"Statement": [statement]}, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


def rewritten(document: object, plain: bytes) -> Iterator[tuple[Change, bytes]]:
    """Yield other bytes for the same policy. `plain` is the policy as received."""
    stripped = plain.strip()
    for text, new in (
        ("a line end was signed after the policy", stripped + b"\n"),
        ("a Windows line end was signed after the policy", stripped + b"\r\n"),
        ("two line ends were signed after the policy", stripped + b"\n\n"),
        ("the policy was signed without the white space around it", stripped),
        ("a byte order mark was signed before the policy", b"\xef\xbb\xbf" + stripped),
    ):
        yield Change("policy-white-space-differs", text), new
    yield _spaced(document, "the JSON was signed with spaces after , and :", (", ", ": "))
    yield _spaced(document, "the JSON was signed without spaces", (",", ":"))
    for indent in (2, 4, 3, 1):
        indented = json.dumps(document, indent=indent).encode()
        yield (
            Change(
                "policy-white-space-differs",
                f"the JSON was signed with an indent of {indent} {'space' if indent == 1 else 'spaces'}",
            ),
            indented,
        )
    yield (
        Change("policy-white-space-differs", "the JSON was signed with tabs"),
        json.dumps(document, indent="\t").encode(),
    )
    slashes = json.dumps(document, separators=(",", ":")).replace("/", "\\/").encode()
    yield Change("policy-rewritten", "the JSON was signed with its slashes escaped (PHP's json_encode)"), slashes
    unicode = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
    yield Change("policy-rewritten", "the JSON was signed with its characters unescaped"), unicode
    ampersands = stripped.replace(b"&", b"\\u0026")
    yield Change("policy-rewritten", "the JSON was signed with & escaped (as Go and .NET do)"), ampersands
    for new in _reordered(document):
        yield Change("policy-rewritten", "the JSON's members were signed in another order"), new
    encoded = encoding.encode(plain)
    yield Change("encoded-policy-signed", "the encoded policy was signed, not its JSON"), encoded.encode()
    standard = encoded.replace("-", "+").replace("_", "=").replace("~", "/")
    yield Change("encoded-policy-signed", "the policy's base64 was signed, not its JSON"), standard.encode()


def _spaced(document: object, text: str, separators: tuple[str, str]) -> tuple[Change, bytes]:
    return Change("policy-white-space-differs", text), json.dumps(document, separators=separators).encode()


def _reordered(document: object) -> Iterator[bytes]:
    dumps: tuple[Callable[[object], str], ...] = (
        lambda value: json.dumps(value, separators=(",", ":")),
        lambda value: json.dumps(value, separators=(", ", ": ")),
    )
    for order in (sorted, lambda names: sorted(names, reverse=True)):
        for dump in dumps:
            yield dump(_in_order(document, order)).encode()
    statement = document.get("Statement") if isinstance(document, dict) else None
    first = statement[0] if isinstance(statement, list) and statement else statement
    condition = first.get("Condition") if isinstance(first, dict) else None
    if isinstance(first, dict) and isinstance(condition, dict):
        for names in permutations(condition):
            mended = {**first, "Condition": {name: condition[name] for name in names}}
            yield dumps[0]({"Statement": [mended]}).encode()
            yield dumps[0]({"Statement": [dict(reversed(mended.items()))]}).encode()


def _in_order(value: object, order: Callable[[Iterable[str]], list[str]]) -> object:
    if isinstance(value, dict):
        return {name: _in_order(value[name], order) for name in order(value)}
    if isinstance(value, list):
        return [_in_order(item, order) for item in value]
    return value
