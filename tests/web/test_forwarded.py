"""Facts about the viewer that proxies report: believed from trusted networks only."""

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyfront.errors import InputError
from keyfront.web.forwarded import Forwarded, trusted_networks
from keyfront.web.types import Receive, Scope, Send

TRUSTED = trusted_networks(["10.0.0.0/8", "192.168.1.7", "2001:db8:aaaa::/48"])


def seen(peer: str | None, *headers: tuple[str, str]) -> dict[str, Any]:
    """What the application behind the middleware sees."""
    scopes: list[Scope] = []

    async def app(scope: Scope, _: Receive, __: Send) -> None:
        scopes.append(scope)

    async def none(*_: object) -> Any:
        raise AssertionError

    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    scope: Scope = {
        "type": "http",
        "client": (peer, 50000) if peer is not None else None,
        "scheme": "http",
        "headers": [(b"host", b"shop.internal:8000"), (b"accept", b"*/*"), *raw],
    }
    # Nothing in it waits, so it needs no event loop.
    with pytest.raises(StopIteration):
        Forwarded(app, TRUSTED)(scope, none, none).__await__().send(None)
    found = scopes[0]
    values = {name.decode(): value.decode("latin-1") for name, value in found["headers"]}
    address = found["client"][0] if found["client"] else None
    return {"address": address, "scheme": found["scheme"], "host": values["host"], "headers": values}


@pytest.mark.parametrize(
    ("peer", "forwarded", "viewer"),
    [
        ("10.1.2.3", ["203.0.113.9"], "203.0.113.9"),
        # What the viewer itself sent comes first, and does not count.
        ("10.1.2.3", ["127.0.0.1, 203.0.113.9"], "203.0.113.9"),
        ("10.1.2.3", ["203.0.113.9, 10.9.9.9, 192.168.1.7"], "203.0.113.9"),
        ("10.1.2.3", ["6.6.6.6", "203.0.113.9", "10.9.9.9"], "203.0.113.9"),
        ("::ffff:10.1.2.3", ["::ffff:203.0.113.9"], "203.0.113.9"),
        ("2001:db8:aaaa::1", ["2001:db8:bbbb::2"], "2001:db8:bbbb::2"),
        ("10.1.2.3", ["203.0.113.9:4711"], "203.0.113.9"),
        ("10.1.2.3", ["[2001:db8:bbbb::2]:4711"], "2001:db8:bbbb::2"),
        # Only proxies are known.
        ("10.1.2.3", ["10.9.9.9"], "10.9.9.9"),
        ("10.1.2.3", ["203.0.113.9, unknown"], "10.1.2.3"),
        ("10.1.2.3", ["203.0.113.9, unknown, 10.9.9.9"], "10.9.9.9"),
        ("10.1.2.3", [""], "10.1.2.3"),
        # Nobody here is a trusted proxy.
        ("203.0.113.5", ["127.0.0.1"], "203.0.113.5"),
        ("192.168.1.8", ["127.0.0.1"], "192.168.1.8"),
        ("127.0.0.1", ["203.0.113.9"], "127.0.0.1"),
        ("not-an-address", ["203.0.113.9"], "not-an-address"),
        (None, ["203.0.113.9"], None),
    ],
)
def test_the_viewer_is_the_last_address_that_is_no_trusted_proxy(
    peer: str | None, forwarded: list[str], viewer: str | None
) -> None:
    assert seen(peer, *(("X-Forwarded-For", value) for value in forwarded))["address"] == viewer


def test_scheme_and_host_are_the_nearest_proxys() -> None:
    found = seen(
        "10.1.2.3",
        ("X-Forwarded-Proto", "http, HTTPS"),
        ("X-Forwarded-Host", "evil.example"),
        ("X-Forwarded-Host", "shop.example.com:8443"),
    )
    assert (found["scheme"], found["host"]) == ("https", "shop.example.com:8443")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Forwarded-Proto", "javascript"),
        ("X-Forwarded-Proto", ""),
        ("X-Forwarded-Host", "shop.example.com/path"),
        ("X-Forwarded-Host", "a@shop.example.com"),
        ("X-Forwarded-Host", "shöp.example.com"),
        ("X-Forwarded-Host", ""),
    ],
)
def test_a_value_that_cannot_be_is_ignored_also_from_a_proxy(name: str, value: str) -> None:
    found = seen("10.1.2.3", (name, value))
    assert (found["scheme"], found["host"]) == ("http", "shop.internal:8000")


@given(
    peer=st.ip_addresses().filter(lambda each: not any(each in network for network in TRUSTED)),
    values=st.lists(
        st.tuples(
            st.sampled_from(["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"]),
            st.sampled_from(["https", "127.0.0.1", "10.0.0.1", "evil.example", "", ","]),
        ),
        max_size=4,
    ),
)
def test_from_elsewhere_nothing_is_believed(
    peer: ipaddress.IPv4Address | ipaddress.IPv6Address, values: list[tuple[str, str]]
) -> None:
    mapped = peer.ipv4_mapped if isinstance(peer, ipaddress.IPv6Address) else None
    if mapped is not None and any(mapped in network for network in TRUSTED):
        return
    found = seen(str(peer), *values)
    assert found["address"] == str(mapped or peer)
    assert (found["scheme"], found["host"]) == ("http", "shop.internal:8000")
    assert not any(name.startswith("x-forwarded") for name in found["headers"])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("proxy.internal", "the trusted proxy 'proxy.internal' is not a network"),
        ("10.0.0.1/8", "without host bits"),
        ("", "the trusted proxy '' is not a network"),
        ("0.0.0.0/0", "is every address, so every viewer could forge theirs"),
        ("::/0", "is every address"),
    ],
)
def test_a_network_that_cannot_be_trusted_is_refused(text: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        trusted_networks([text])
