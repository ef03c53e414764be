"""The objects of an event that have names: query string, headers and cookies, each value with its `multiValue`.

Source: Developer Guide, "CloudFront Functions event structure". Assumed: `multiValue` counts before `value`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from keyfront.edge.functions.failures import invalid
from keyfront.edge.functions.headers import Fields
from keyfront.edge.response.pages import Headers

Shown = dict[str, dict[str, Any]]
"""Names with `value` and, if there are several values, `multiValue`."""

COOKIE: Final = re.compile(r"[\x20-\x3a\x3c-\x7e]*")
_ATTRIBUTES: Final = re.compile(r"[\x20-\x7e]*")


def pairs(text: str, separator: str) -> list[tuple[str, str]]:
    if not text:
        return []
    parts = [part.strip() if separator == ";" else part for part in text.split(separator)]
    return [(name, value) for name, _, value in (part.partition("=") for part in parts if part)]


def grouped(pairs: Iterable[tuple[str, str]]) -> Shown:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return {name: _valued(values) for name, values in found.items()}


def shown_fields(fields: Fields) -> Shown:
    return {name: _valued(values) for name, values in fields.values.items()}


def _valued(values: Sequence[str]) -> dict[str, Any]:
    if len(values) == 1:
        return {"value": values[0]}
    return {"value": values[0], "multiValue": [{"value": each} for each in values]}


def shown_cookies(headers: Headers) -> Shown:
    found: dict[str, list[dict[str, str]]] = {}
    for name, value in headers:
        if name == b"set-cookie":
            pair, _, attributes = value.decode("latin-1").partition(";")
            cookie, _, content = pair.strip().partition("=")
            one = {"value": content} | ({"attributes": attributes.strip()} if attributes.strip() else {})
            found.setdefault(cookie, []).append(one)
    return {
        name: dict(values[0]) | ({"multiValue": values} if len(values) > 1 else {}) for name, values in found.items()
    }


def flat(shown: Any, where: str) -> list[tuple[str, Mapping[str, Any]]]:
    """Return each value of an object of names, in order. Raises `FunctionFailedError`."""
    if not isinstance(shown, dict):
        raise invalid(f"{where} must be an object")
    found: list[tuple[str, Mapping[str, Any]]] = []
    for name, one in shown.items():
        listed = one.get("multiValue") if isinstance(one, dict) else None
        for each in listed if isinstance(listed, list) and listed else [one]:
            if not isinstance(each, dict) or not isinstance(each.get("value"), str):
                raise invalid(f"{where}[{name[:60]!r}] must be an object with a value that is a string")
            found.append((name, each))
    return found


def joined(pairs: Iterable[tuple[str, Mapping[str, Any]]]) -> list[str]:
    return [f"{name}={each['value']}" if each["value"] else name for name, each in pairs]


def fields_of(shown: Any, where: str) -> Fields:
    found: dict[str, tuple[str, ...]] = {}
    for name, each in flat(shown, where):
        if name != name.lower():
            raise invalid(f"{where} must have header names in lower case")
        found[name] = (*found.get(name, ()), each["value"])
    return Fields(found)


def written_cookies(value: Mapping[str, Any]) -> Headers:
    written: Headers = []
    for name, each in flat(value.get("cookies", {}), "response.cookies"):
        pair, attributes = f"{name}={each['value']}", each.get("attributes", "")
        if not COOKIE.fullmatch(pair) or not isinstance(attributes, str) or not _ATTRIBUTES.fullmatch(attributes):
            raise invalid("response.cookies has a character that a cookie cannot have")
        line = f"{pair}; {attributes}" if attributes else pair
        written.append((b"set-cookie", line.encode("ascii")))
    return written
