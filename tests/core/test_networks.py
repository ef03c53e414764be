"""The viewer address of a policy: what is one, and what the others are called."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyfront.core.networks import network, without_port
from keyfront.errors import PolicyError


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("192.0.2.10", "192.0.2.10/32"),
        ("192.0.2.10/32", "192.0.2.10/32"),
        ("192.0.2.0/24", "192.0.2.0/24"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("255.255.255.255", "255.255.255.255/32"),
    ],
)
def test_an_address_or_a_range_is_written_in_cidr_form(given: str, written: str) -> None:
    assert network(given) == written


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("2001:db8::1", "IPv4 only"),
        ("::/0", "IPv4 only"),
        ("::ffff:192.0.2.1", "IPv4 only"),
        ("::ffff:203.0.113.7", "write 203.0.113.7"),
        ("203.0.113.7:46532", "an address with a port"),
        ("[::ffff:203.0.113.7]:443", "write 203.0.113.7"),
        ("[2001:db8::1]:46532", "IPv4 only"),
        ("2001:db8::1:46532", "IPv4 only"),
        ("203.0.113.7, 10.0.0.1", "a list (as in X-Forwarded-For)"),
        ("\x1b[2J:", r"ip is '\x1b[2J:'"),
        ("192.0.2.10/24", "write 192.0.2.0/24"),
        ("192.0.2.10/0", "write 0.0.0.0/0"),
        ("192.0.2.10/33", "not an IPv4 address or range"),
        ("192.0.2.256", "not an IPv4 address or range"),
        ("192.0.02.1", "not an IPv4 address or range"),
        ("192.0.2", "one IPv4 address or range"),
        ("192.0.2.0/255.255.255.0", "one IPv4 address or range"),
        ("192.0.2.1-192.0.2.9", "one IPv4 address or range"),
        ("192.0.2.1, 192.0.2.2", "one IPv4 address or range"),
        ("192.0.2.1 ", "one IPv4 address or range"),
        ("192.0.2.1\n", "one IPv4 address or range"),
        ("localhost", "one IPv4 address or range"),
        ("", "one IPv4 address or range"),
        ("1" * 500, "one IPv4 address or range"),
        (["192.0.2.1"], "is a list"),
        (3221225985, "is a int"),
    ],
)
def test_what_is_no_ipv4_network_is_refused_saying_why(given: Any, says: str) -> None:
    with pytest.raises(PolicyError) as refused:
        network(given)
    assert says in str(refused.value)
    assert len(str(refused.value)) < 200


@given(st.text(alphabet="0123456789.:/,[]f ", max_size=24) | st.ip_addresses().map(str))
def test_nothing_makes_it_raise_anything_but_our_own_error(text: str) -> None:
    try:
        written = network(text)
    except PolicyError:
        return
    assert network(written) == written


@given(st.ip_addresses(v=4), st.integers(0, 65535))
def test_an_address_is_found_before_its_port(address: Any, port: int) -> None:
    assert without_port(f"{address}:{port}") == str(address)
    assert without_port(str(address)) is None
