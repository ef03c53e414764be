"""Writing an operation's output, or an error, as an HTTP response."""

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from xml.sax.saxutils import escape

from botocore.model import ListShape, OperationModel, Shape, StructureShape

from keyfront.local.controlplane.faults import APIError
from keyfront.local.controlplane.model import NAMESPACE

_PROLOG = '<?xml version="1.0"?>\n'
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NOT_IN_A_HEADER = re.compile("[^\u0020-\u007e]")


@dataclass(frozen=True)
class APIResponse:
    """An HTTP response. Header names are spelled as CloudFront spells them."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def write(operation: OperationModel, output: Mapping[str, object], request_id: str) -> APIResponse:
    """Return the response for `output`, with the members of the operation's output shape.

    Raises `TypeError` for a member that the shape does not have, or a value of another type. That is a bug in keyfront.
    """
    status, headers = int(operation.http["responseCode"]), {"x-amzn-RequestId": request_id}
    shape = operation.output_shape
    if shape is None:
        return APIResponse(status, headers)
    _refuse_unknown(shape, output)
    for name, member in shape.members.items():
        if member.serialization.get("location") == "header" and output.get(name) is not None:
            key = str(member.serialization.get("name", name))
            headers[key] = _NOT_IN_A_HEADER.sub("?", _SCALARS[member.type_name](output[name]))
    body = _body(shape, output)
    if isinstance(body, str):
        headers["Content-Type"] = "text/xml"
        return APIResponse(status, headers, (_PROLOG + body).encode())
    return APIResponse(status, headers, body)


def write_error(error: APIError, request_id: str) -> APIResponse:
    """Return the response for `error`, with an AWS error body."""
    fault = "Receiver" if error.status >= 500 else "Sender"
    body = (
        f'{_PROLOG}<ErrorResponse xmlns="{NAMESPACE}"><Error><Type>{fault}</Type><Code>{error.code}</Code>'
        f"<Message>{_text(error.message)}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    )
    headers = {"x-amzn-RequestId": request_id, "Content-Type": "text/xml"}
    return APIResponse(error.status, headers, body.encode())


def _body(shape: StructureShape, output: Mapping[str, object]) -> str | bytes:
    """Return the body: XML as text, or bytes."""
    payload = shape.serialization.get("payload")
    if payload is not None:
        member, value = shape.members[payload], output.get(payload)
        if value is None:
            return b""
        if isinstance(value, bytes):
            return value
        root = str(member.serialization.get("name", member.name))
        return _element(member, value, root, f' xmlns="{NAMESPACE}"')
    members = {n: m for n, m in shape.members.items() if "location" not in m.serialization}
    if not members:
        return b""
    return f'<{shape.name} xmlns="{NAMESPACE}">{_members(members, output)}</{shape.name}>'


def _element(shape: Shape, value: object, name: str, attributes: str = "") -> str:
    if isinstance(shape, StructureShape):
        if not isinstance(value, Mapping):
            raise TypeError(f"{name} must be a mapping, not {type(value).__name__}")
        _refuse_unknown(shape, value)
        content = _members(shape.members, value)
    elif isinstance(shape, ListShape):
        if isinstance(value, str | bytes) or not isinstance(value, Sequence):
            raise TypeError(f"{name} must be a list, not {type(value).__name__}")
        member = str(shape.member.serialization.get("name", "member"))
        content = "".join(_element(shape.member, item, member) for item in value)
    else:
        content = _text(_SCALARS[shape.type_name](value))
    return f"<{name}{attributes}>{content}</{name}>"


def _members(members: Mapping[str, Shape], values: Mapping[str, object]) -> str:
    return "".join(
        _element(shape, values[name], str(shape.serialization.get("name", name)))
        for name, shape in members.items()
        if values.get(name) is not None
    )


def _refuse_unknown(shape: StructureShape, values: Mapping[str, object]) -> None:
    if unknown := values.keys() - shape.members.keys():
        raise TypeError(f"{shape.name} has no members {sorted(unknown)}")


def _text(text: str) -> str:
    # An XML parser turns a carriage return into a line feed. Other control characters are not allowed in XML.
    return escape(_NOT_IN_XML.sub("\ufffd", text), {"\r": "&#13;"})


def _typed(kind: type, form: Callable[[object], str]) -> Callable[[object], str]:
    def write_scalar(value: object) -> str:
        if type(value) is not kind:
            raise TypeError(f"expected {kind.__name__}, not {type(value).__name__}")
        return form(value)

    return write_scalar


def _iso8601(value: object) -> str:
    if not isinstance(value, datetime):
        raise TypeError(f"expected datetime, not {type(value).__name__}")
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _base64(value: object) -> str:
    if not isinstance(value, bytes):
        raise TypeError(f"expected bytes, not {type(value).__name__}")
    return base64.b64encode(value).decode("ascii")


_SCALARS: Mapping[str, Callable[[object], str]] = {
    "string": _typed(str, str),
    "integer": _typed(int, str),
    "long": _typed(int, str),
    "float": _typed(float, repr),
    "double": _typed(float, repr),
    "boolean": _typed(bool, lambda value: "true" if value else "false"),
    "timestamp": _iso8601,
    "blob": _base64,
}
"""How to write a value of each scalar type of the model."""
