"""Responses in the format of an event's sender. Sources as in `events`."""

import base64
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from itertools import product
from typing import Final

from keyfront.backend.aws_lambda.events import Kind
from keyfront.backend.service.exchange import ServiceResponse

_TEXT: Final = ("text/", "application/json")


def reply(answer: ServiceResponse, kind: Kind) -> Mapping[str, object]:
    """Return `answer` in the format of a sender of this `kind`."""
    whole = {"statusCode": answer.status, **_body(answer)}
    if kind == "http":
        cookies = [value for name, value in answer.headers if name == "set-cookie"]
        headers = {name: ", ".join(values) for name, values in _grouped(answer).items() if name != "set-cookie"}
        return {**whole, "headers": headers, **({"cookies": cookies} if cookies else {})}
    if kind == "rest":
        return {**whole, "multiValueHeaders": _grouped(answer)}
    whole["statusDescription"] = f"{answer.status} {HTTPStatus(answer.status).phrase}"
    if kind == "balancer-multi":
        return {**whole, "multiValueHeaders": _grouped(answer)}
    return {**whole, "headers": dict(_told_apart(answer.headers))}


def _body(answer: ServiceResponse) -> dict[str, object]:
    kind = next((value for name, value in answer.headers if name == "content-type"), "text/plain")
    if kind.startswith(_TEXT):
        return {"body": answer.body.decode(), "isBase64Encoded": False}
    return {"body": base64.b64encode(answer.body).decode(), "isBase64Encoded": True}


def _grouped(answer: ServiceResponse) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in answer.headers:
        grouped.setdefault(name.lower(), []).append(value)
    return grouped


def _told_apart(headers: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield the headers, each with its own name: a load balancer takes one value per name, so letter case varies."""
    seen: dict[str, Iterator[str]] = {}
    for name, value in headers:
        yield next(seen.setdefault(name.lower(), _cases(name.lower()))), value


def _cases(name: str) -> Iterator[str]:
    choices = [sorted({letter, letter.upper()}, reverse=True) for letter in name]
    return ("".join(letters) for letters in product(*choices))
