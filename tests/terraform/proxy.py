"""A proxy before Terraform's AWS provider, which gives the same answer to the same question.

Every command asks for the schema of 1,500 resources, and several times whether the provider's own settings are valid.
These answers take six seconds of CPU time, in a command that otherwise takes half a second. The proxy remembers them,
and leaves out of the schema what no configuration here names. It passes on all other calls.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final, NoReturn

import grpc

ANY_SIZE: Final = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
_ROOT: Final = Path(__file__).parents[2]
_CONFIGURATIONS: Final = (_ROOT / "terraform", _ROOT / "tests" / "terraform")
_SERVICE: Final = "/tfplugin5.Provider/"
_TYPES: Final = (2, 3, 8)
"""The fields of a schema with its resources, data sources and ephemeral resources, by type (tfplugin5.proto)."""


class Proxy(grpc.GenericRpcHandler):
    """Passes the calls of Terraform on to a provider."""

    def __init__(self, provider: grpc.Channel, once: Callable[[str, Callable[[], bytes]], bytes]) -> None:
        """`once` keeps an answer by the name of its question."""
        self._provider, self._once = provider, once

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes] | None:
        """Handle one method."""
        method = handler_call_details.method
        if not method.startswith(_SERVICE):
            return None  # Terraform asks plugins for their log and for callbacks, and does without.
        call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = self._provider.unary_unary(method)

        def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
            try:
                match method.removeprefix(_SERVICE):
                    case "GetSchema":
                        return self._once("schema", lambda: _narrowed(call(request)))
                    case "PrepareProviderConfig":
                        # It checks the settings that it gets, and gives them back. Its environment changes nothing.
                        return self._once(f"settings-{sha256(request).hexdigest()}", lambda: call(request))
                return call(request)
            except grpc.RpcError as error:
                _pass_on(error, context)

        return grpc.unary_unary_rpc_method_handler(answer)


def _pass_on(error: grpc.RpcError, context: grpc.ServicerContext) -> NoReturn:
    assert isinstance(error, grpc.Call)
    context.abort(error.code(), error.details() or "")


def _narrowed(schema: bytes) -> bytes:
    """A schema without the types that no configuration names."""
    files = (file for folder in _CONFIGURATIONS for end in ("tf", "hcl") for file in folder.rglob(f"*.{end}"))
    named = {name for file in files for name in re.findall(rb"\baws_\w+", file.read_bytes())}
    return b"".join(whole for number, value, whole in _fields(schema) if number not in _TYPES or _key(value) in named)


def _key(entry: bytes) -> bytes:
    """The key of one entry of a map."""
    return next(value for number, value, _ in _fields(entry) if number == 1)


def _fields(message: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """The fields of a message whose fields all have a length: number, value, and both as the message has them."""
    at = 0
    while at < len(message):
        start = at
        tag, at = _varint(message, at)
        length, at = _varint(message, at)
        assert tag & 7 == 2, "a field without a length"
        yield tag >> 3, message[at : at + length], message[start : at + length]
        at += length


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """A number of Protocol Buffers, and where it ends."""
    number = shift = 0
    while True:
        byte = message[at]
        number, shift, at = number | (byte & 0x7F) << shift, shift + 7, at + 1
        if byte < 0x80:
            return number, at
