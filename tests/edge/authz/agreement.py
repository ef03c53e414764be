"""`keyfront authz` asked what the edge was asked: both make one decision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from keyfront.edge.authz.front_connection import Respond
from keyfront.edge.authz.fronts import FRONTS, FrontRequest
from keyfront.edge.authz.protection import Rules
from keyfront.edge.authz.service import responder
from keyfront.edge.request.admission import Door
from keyfront.inventory.files import Reading

if TYPE_CHECKING:
    from tests.edge.conftest import Laid, Reply

    from keyfront.inventory import Inventory

COUNTRIES = {"127.0.0.0/8": "DE"}
UNTOLD = {"body: GET with a body", "body: a signed GET with a body", "methods: get in lower case"}
"""Front doors do not tell of a body, and what writes a method in lower case is none of them."""


def assert_authz_agrees(
    row: Mapping[str, Any], inventory: Inventory, laid: Laid, sent: tuple[str, str], reply: Reply
) -> None:
    """`keyfront authz` says of the same request what the edge has just done."""
    rules = Rules(lambda: Reading(inventory, ()), Door(https_port=443, distribution_id="E1"), seconds=3600)
    respond = responder(FRONTS["nginx"], rules, countries=COUNTRIES, clock=laid.clock)
    door = row.get("door", "http")
    told = {
        "x-original-method": row.get("method", "GET"),
        "x-original-uri": sent[0],
        "x-forwarded-proto": "https" if door == "https" else "http",
        "x-real-ip": "::1" if door == "ipv6" else "127.0.0.1",
        "host": row.get("host", "d1.cloudfront.localhost"),
        **({"cookie": sent[1]} if sent[1] else {}),
    }
    status, headers, _ = ask_authz(respond, "/authz", told)
    outcome = laid.outcomes[-1]
    assert headers["x-keyfront-reason"].replace("public", "allowed") == outcome.reason
    assert (status == 200) == (outcome.reason == "allowed")
    if status == 200 or any(outcome.status == each[2] for each in row.get("errors", ())):
        return
    assert int(headers["x-keyfront-status"]) == reply.status
    status, headers, body = ask_authz(respond, "/refusal", told)
    assert (status, headers.get("location")) == (reply.status, reply.headers.get("location"))
    assert len(body) == int(reply.headers["content-length"])
    if headers["content-type"] == "text/xml" and reply.body:
        assert body == reply.body


def ask_authz(respond: Respond, path: str, headers: Mapping[str, str]) -> tuple[int, dict[str, str], bytes]:
    """The application's answer to nginx, without a socket."""
    listed = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    status, answered, body = respond(FrontRequest("GET", path.encode(), b"", listed))
    return status, {name.decode(): value.decode() for name, value in answered}, body
