"""Addresses: policies that name the viewer's network."""

import ipaddress

from keyfront.core.misuse import is_private
from keyfront.explain.facts import Facts
from keyfront.explain.registry import Found, rule
from keyfront.explain.values import Stage

_PAGE = "private-content-creating-signed-url-custom-policy.html"


def _viewer(facts: Facts) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(facts.request.ip)
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, ipaddress.IPv6Address) else found


@rule(
    "address-not-in-range",
    "The viewer's address is not in the policy's range",
    stage=Stage.ADDRESS,
    looks="The link works in one place and not in another. CloudFront answers `AccessDenied`.",
    cause="The policy allows one IPv4 address or range, and CloudFront sees the viewer come from another. Mobile "
    "networks, VPNs and proxies change addresses; the server that signs may see another address than CloudFront.",
    fix="Sign for the range that the viewer really comes from, or leave IpAddress out.",
    recipe="address",
    guide=_PAGE,
)
def address_not_in_range(facts: Facts) -> Found | None:
    if not facts.failed("address") or not isinstance(_viewer(facts), ipaddress.IPv4Address) or facts.policy is None:
        return None
    return Found(f"The viewer is at {facts.request.ip}; the policy allows {facts.policy.ip}.")


@rule(
    "viewer-over-ipv6",
    "The viewer comes over IPv6, and the policy names IPv4 addresses",
    stage=Stage.ADDRESS,
    looks="Some viewers are let in and others not. CloudFront answers `AccessDenied`.",
    cause="A policy's IpAddress knows IPv4 only. As far as is known, a viewer over IPv6 never satisfies it, not even "
    "0.0.0.0/0.",
    fix="Leave IpAddress out, or switch IPv6 off for the distribution.",
    recipe="address",
    guide=_PAGE,
)
def viewer_over_ipv6(facts: Facts) -> Found | None:
    if not facts.failed("address") or not isinstance(_viewer(facts), ipaddress.IPv6Address) or facts.policy is None:
        return None
    return Found(f"The viewer is at {facts.request.ip}; the policy allows {facts.policy.ip}.")


@rule(
    "private-address-in-policy",
    "The policy allows a private network, from which nobody reaches CloudFront",
    stage=Stage.ADDRESS,
    looks="The policy names 127.0.0.1, 10.…, 172.16.… or 192.168.… CloudFront answers `AccessDenied`.",
    cause="CloudFront sees the public address of the viewer's router. The signer saw a private one: its own, a load "
    "balancer's, or one in the same house.",
    fix="Take the viewer's public address (behind a load balancer: from X-Forwarded-For), or leave IpAddress out.",
    recipe="address",
    guide=_PAGE,
)
def private_address_in_policy(facts: Facts) -> Found | None:
    if facts.policy is None or facts.policy.ip is None:
        return None
    viewer = _viewer(facts)
    if not is_private(facts.policy.ip) or (viewer is not None and not facts.failed("address")):
        return None
    return Found(f"The policy allows {facts.policy.ip}.", certainty="certain" if viewer else "likely")


@rule(
    "network-malformed",
    "The policy's address is none that CloudFront takes",
    stage=Stage.POLICY,
    looks="`AWS:SourceIp` is a list, an IPv6 address, a host name, or has bits outside its range. CloudFront answers "
    "`MalformedPolicy` (we take it; no public source says so).",
    cause="IpAddress holds exactly one IPv4 address or one IPv4 range such as 192.0.2.0/24.",
    fix="Write one IPv4 address or range, or leave IpAddress out.",
    recipe="address",
    guide=_PAGE,
)
def network_malformed(facts: Facts) -> Found | None:
    value = facts.condition("IpAddress", "AWS:SourceIp") if facts.custom else None
    if value is None or not facts.failed("policy") or facts.policy_fault != "network-malformed":
        return None
    return Found(f"AWS:SourceIp is {str(value)[:60]}.")
