"""Addresses: policies that allow only the viewer's network."""

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
    looks="The link works in one place and not in another. CloudFront returns `AccessDenied`.",
    cause="The policy allows one IPv4 address or range, and CloudFront sees the viewer at another address. Mobile "
    "networks, VPNs and proxies change addresses. The server that signs may see a different address than CloudFront.",
    fix="Sign for the range that CloudFront sees, or leave IpAddress out.",
    recipe="address",
    guide=_PAGE,
)
def address_not_in_range(facts: Facts) -> Found | None:
    if not facts.failed("address") or not isinstance(_viewer(facts), ipaddress.IPv4Address) or facts.policy is None:
        return None
    return Found(f"The viewer is at {facts.request.ip}; the policy allows {facts.policy.ip}.")


@rule(
    "viewer-over-ipv6",
    "The viewer uses IPv6, and the policy allows only IPv4 addresses",
    stage=Stage.ADDRESS,
    looks="Some viewers are let in and others are not. CloudFront returns `AccessDenied`.",
    cause="A policy's IpAddress supports IPv4 only. As far as is known, a viewer over IPv6 never matches it, not even "
    "0.0.0.0/0.",
    fix="Leave IpAddress out, or turn IPv6 off for the distribution.",
    recipe="address",
    guide=_PAGE,
)
def viewer_over_ipv6(facts: Facts) -> Found | None:
    if not facts.failed("address") or not isinstance(_viewer(facts), ipaddress.IPv6Address) or facts.policy is None:
        return None
    return Found(f"The viewer is at {facts.request.ip}; the policy allows {facts.policy.ip}.")


@rule(
    "private-address-in-policy",
    "The policy allows a private network, which never reaches CloudFront",
    stage=Stage.ADDRESS,
    looks="The policy has 127.0.0.1, 10.…, 172.16.… or 192.168.… CloudFront returns `AccessDenied`.",
    cause="CloudFront sees the public address of the viewer's router. The signer saw a private address: its own, a "
    "load balancer's, or one on the same local network.",
    fix="Use the viewer's public address (behind a load balancer: from X-Forwarded-For), or leave IpAddress out.",
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
    "CloudFront does not accept the policy's address",
    stage=Stage.POLICY,
    looks="`AWS:SourceIp` is a list, an IPv6 address, a host name, or has bits outside its range. CloudFront returns "
    "`MalformedPolicy` (assumed; no public source says so).",
    cause="IpAddress is exactly one IPv4 address or one IPv4 range such as 192.0.2.0/24.",
    fix="Write one IPv4 address or range, or leave IpAddress out.",
    recipe="address",
    guide=_PAGE,
)
def network_malformed(facts: Facts) -> Found | None:
    value = facts.condition("IpAddress", "AWS:SourceIp") if facts.custom else None
    if value is None or not facts.failed("policy") or facts.policy_fault != "network-malformed":
        return None
    return Found(f"AWS:SourceIp is {str(value)[:60]}.")
