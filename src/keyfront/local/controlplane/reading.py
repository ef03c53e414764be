"""Reading a request into an operation's input: plain dictionaries, lists and scalars, typed by the service model."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeAlias
from xml.etree.ElementTree import Element

from botocore.model import ListShape, Shape, StructureShape

from keyfront.local.controlplane.document import local_name, parse
from keyfront.local.controlplane.faults import APIError
from keyfront.local.controlplane.routing import RoutedOperation

Value: TypeAlias = str | int | float | bool | bytes | datetime | list["Value"] | dict[str, "Value"]

_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_BITS = {"integer": 32, "long": 64}


def read(target: RoutedOperation, headers: Mapping[str, str], body: bytes) -> dict[str, Value]:
    """Return the input of `target.operation`. Header names are in lower case.

    Raises `APIError`: `MissingBody`, `MalformedInput` for a body that is not the XML of the operation's shape,
    `InvalidArgument` for a path, query or header value of the wrong type.
    """
    shape = target.operation.input_shape
    if shape is None:
        return {}
    found: dict[str, Value] = {}
    for name, member in shape.members.items():
        text = _located(member, name, target, headers)
        if text is not None:
            found[name] = _scalar(member, text, name, "InvalidArgument")
    return found | _read_body(shape, body)


def path_to(path: str, name: str) -> str:
    """Return the path of a member below `path`, as AWS writes it in messages: `distributionConfig.aliases`."""
    name = name[:1].lower() + name[1:]
    return f"{path}.{name}" if path else name


def item_of(path: str, index: int) -> str:
    """Return the path of a list's item (counted from 1), as AWS writes it."""
    return f"{path}.{index}.member"


def _located(member: Shape, name: str, target: RoutedOperation, headers: Mapping[str, str]) -> str | None:
    key = str(member.serialization.get("name", name))
    match member.serialization.get("location"):
        case "uri":
            return target.labels.get(key)
        case "querystring":
            return target.query.get(key)
        case "header":
            return headers.get(key.lower())
    return None


def _read_body(shape: StructureShape, body: bytes) -> dict[str, Value]:
    payload = shape.serialization.get("payload")
    if payload is None:
        members = {n: m for n, m in shape.members.items() if "location" not in m.serialization}
        if not members:
            return {}
        root = _root(shape, body, required=not members.keys().isdisjoint(shape.required_members))
        return _members(members, root, "") if root is not None else {}
    member = shape.members[payload]
    if member.type_name == "blob":
        return {payload: body}
    root = _root(member, body, required=payload in shape.required_members)
    return {} if root is None else {payload: _value(member, root, path_to("", payload))}


def _root(shape: Shape, body: bytes, *, required: bool) -> Element | None:
    if not body.strip():
        if not required:
            return None
        raise APIError("MissingBody", "This operation requires a body: send its input as XML.")
    root, wanted = parse(body), str(shape.serialization.get("name", shape.name))
    if local_name(root) != wanted:
        raise APIError("MalformedInput", f"The body's root element must be {wanted}; it is {local_name(root)}.")
    return root


def _value(shape: Shape, element: Element, path: str) -> Value:
    if isinstance(shape, StructureShape):
        return _members(shape.members, element, path)
    if isinstance(shape, ListShape):
        return _items(shape, element, path)
    if len(element):
        raise APIError("MalformedInput", f"Unexpected element {local_name(element[0])} in the value of '{path}'.")
    return _scalar(shape, element.text or "", path, "MalformedInput")


def _members(members: Mapping[str, Shape], element: Element, path: str) -> dict[str, Value]:
    """Return the element's children that are in `members`. Ignore others, because newer clients send new members."""
    children: dict[str, Element] = {}
    for child in element:
        if children.setdefault(local_name(child), child) is not child:
            raise APIError("MalformedInput", f"Element {local_name(child)} is given twice in '{path}'.")
    named = {name: children.get(str(shape.serialization.get("name", name))) for name, shape in members.items()}
    return {
        name: _value(members[name], child, path_to(path, name)) for name, child in named.items() if child is not None
    }


def _items(shape: ListShape, element: Element, path: str) -> list[Value]:
    wanted = str(shape.member.serialization.get("name", "member"))
    for child in element:
        if local_name(child) != wanted:
            unexpected = f"Unexpected element {local_name(child)} in the list '{path}', which has {wanted} elements."
            raise APIError("MalformedInput", unexpected)
    return [_value(shape.member, child, item_of(path, index)) for index, child in enumerate(element, 1)]


def _scalar(shape: Shape, text: str, path: str, code: str) -> Value:
    try:
        return _SCALARS[shape.type_name](shape, text)
    except (ValueError, OverflowError, binascii.Error):
        given = "is not" if shape.metadata.get("sensitive") else f"'{text[:100]}' is not"
        article = "an" if shape.type_name[0] in "aeiou" else "a"
        raise APIError(code, f"Value {given} {article} {shape.type_name} at '{path}'.") from None


def _integer(shape: Shape, text: str) -> int:
    if not _INTEGER.fullmatch(text.strip()):
        raise ValueError(text)
    number, limit = int(text), 1 << (_BITS[shape.type_name] - 1)
    if not -limit <= number < limit:
        raise ValueError(text)
    return number


def _boolean(_: Shape, text: str) -> bool:
    word = text.strip().lower()
    if word not in ("true", "false"):
        raise ValueError(text)
    return word == "true"


def _timestamp(_: Shape, text: str) -> datetime:
    """Read a time in a form that AWS clients send: ISO 8601 (as the API writes it), an HTTP date or epoch seconds."""
    text = text.strip()
    if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text):
        return datetime.fromtimestamp(float(text), UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = parsedate_to_datetime(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


_SCALARS: Mapping[str, Callable[[Shape, str], Value]] = {
    "string": lambda _, text: text,
    "integer": _integer,
    "long": _integer,
    "float": lambda _, text: float(text),
    "double": lambda _, text: float(text),
    "boolean": _boolean,
    "timestamp": _timestamp,
    "blob": lambda _, text: base64.b64decode("".join(text.split()), validate=True),
}
"""How to read the text of each scalar type of the model. Each function raises `ValueError` for other text."""
