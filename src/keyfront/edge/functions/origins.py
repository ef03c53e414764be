"""Changes of a request's origin by a CloudFront function: `cf.updateRequestOrigin` and its siblings.

Source: Developer Guide, "Helper methods for origin modification". The settings that a call does not name stay.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from keyfront.core.urls import split_host
from keyfront.edge.behaviors import Behavior, Failover
from keyfront.edge.functions.events import PATH
from keyfront.edge.functions.failures import invalid
from keyfront.edge.functions.headers import InvalidHeaderError, check_custom
from keyfront.inventory import CustomOrigin, Origin

_OVERRIDES: Final = frozenset({"hostHeader", "sni", "allowedCertificateNames"})
"""What a function may set of an origin that it selects by its id."""
_KNOWN: Final = _OVERRIDES | frozenset(
    {"domainName", "originPath", "customHeaders", "connectionAttempts", "originShield", "mTLSConfig"}
    | {"originAccessControlConfig", "timeouts", "customOriginConfig"}
)
_STATUSES: Final = range(400, 600)
_MOST_NAME: Final = 253


def towards(behavior: Behavior, targets: Mapping[str, Behavior], change: Mapping[str, Any]) -> Behavior:
    """Return `behavior` with the origin that a function chose. `targets` has it for each of the distribution's origins.

    Raises `FunctionFailedError` for an origin that does not exist and settings that cannot be used.
    """
    if "group" in change:
        return _group(targets, change["group"])
    settings = change.get("update") or {}
    if "select" in change:
        return _overridden(_target(targets, change["select"]), settings, "selectRequestOriginById()")
    return _updated(behavior, settings)


def _target(targets: Mapping[str, Behavior], origin_id: Any) -> Behavior:
    found = targets.get(origin_id) if isinstance(origin_id, str) else None
    if found is None:
        raise invalid(f"the distribution has no origin with the id {str(origin_id)[:60]!r}")
    return found


def _group(targets: Mapping[str, Behavior], settings: Any) -> Behavior:
    if not isinstance(settings, dict):
        raise invalid("createRequestOriginGroup() needs an object")
    ids, criteria = settings.get("originIds"), settings.get("failoverCriteria")
    if not isinstance(ids, list) or len(ids) != 2:
        raise invalid("createRequestOriginGroup() needs two originIds")
    statuses = criteria.get("statusCodes") if isinstance(criteria, dict) else None
    if not isinstance(statuses, list) or not statuses or not all(each in _STATUSES for each in statuses):
        raise invalid("createRequestOriginGroup() needs failoverCriteria with statusCodes")
    first, second = (_member(targets, each) for each in ids)
    return replace(first, failover=Failover(second, frozenset(statuses)))


def _member(targets: Mapping[str, Behavior], given: Any) -> Behavior:
    """Return the behavior for one of `originIds`: an id, or an object with `originId` and `originOverrides`."""
    if not isinstance(given, dict):
        return _target(targets, given)
    overrides = given.get("originOverrides") or {}
    return _overridden(_target(targets, given.get("originId")), overrides, "originOverrides")


def _overridden(behavior: Behavior, settings: Any, where: str) -> Behavior:
    """Return `behavior` with the settings that a function may give an origin of the distribution."""
    if not isinstance(settings, dict):
        raise invalid(f"the settings of {where} must be an object")
    if unknown := sorted(settings.keys() - _OVERRIDES):
        raise invalid(f"{where} has no setting {unknown[0][:60]!r}")
    return _with_host(behavior, settings)


def _with_host(behavior: Behavior, settings: Mapping[str, Any]) -> Behavior:
    """Return `behavior` with the names that a function chose for the Host header and for TLS."""
    if settings.get("allowedCertificateNames"):
        raise invalid("allowedCertificateNames is not supported here: the certificate must have the name in sni")
    # Another domain name comes with its own Host header, even where the behavior hands on the viewer's.
    named = settings.get("domainName", "") if "host" in behavior.rules.sent_headers else ""
    host, server_name = settings.get("hostHeader", named), settings.get("sni", "")
    for name, value in (("hostHeader", host), ("sni", server_name)):
        if value != "" and not _is_name(value):
            raise invalid(f"{name} is not a domain name")
    custom = behavior.origin is not None and behavior.origin.custom is not None
    return replace(behavior, host_header=host, server_name=server_name) if custom else behavior


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and split_host(value) is not None and ":" not in value and len(value) <= _MOST_NAME


def _updated(behavior: Behavior, settings: Any) -> Behavior:
    if not isinstance(settings, dict):
        raise invalid("updateRequestOrigin() needs an object")
    if unknown := sorted(settings.keys() - _KNOWN):
        raise invalid(f"updateRequestOrigin() has no setting {unknown[0][:60]!r}")
    if not settings:
        return behavior
    if behavior.origin is None:
        raise invalid("the behavior has no origin to update")
    origin = _with_address(behavior.origin, settings)
    signing = behavior.signing
    if (access := settings.get("originAccessControlConfig")) is not None:
        if not isinstance(access, dict) or not isinstance(access.get("enabled"), bool):
            raise invalid("originAccessControlConfig needs enabled, which is true or false")
        signed = access["enabled"] and access.get("originType", "s3") == "s3"
        origin = replace(origin, access_control=origin.access_control or "function", access_identity="")
        signing = access.get("signingBehavior", "always") if signed else "never"
        if signing not in ("always", "never", "no-override"):
            raise invalid("originAccessControlConfig.signingBehavior is always, never or no-override")
    return _with_host(replace(behavior, origin=origin, signing=signing), settings)


def _with_address(origin: Origin, settings: Mapping[str, Any]) -> Origin:
    name, path = settings.get("domainName", origin.domain_name), settings.get("originPath", origin.path)
    if not _is_name(name):
        raise invalid("domainName is not a domain name")
    if not isinstance(path, str) or (path and not PATH.fullmatch(path)):
        raise invalid("originPath must begin with a slash, and be a path that is URL-encoded")
    custom = origin.custom
    if (settings_of := settings.get("customOriginConfig")) is not None:
        custom = _custom(origin.custom or CustomOrigin(), settings_of)
    timeouts = settings.get("timeouts") or {}
    attempts = settings.get("connectionAttempts", origin.connection_attempts)
    if not isinstance(timeouts, dict) or attempts not in (1, 2, 3):
        raise invalid("timeouts is not an object, or connectionAttempts is not 1, 2 or 3")
    if custom is not None and "readTimeout" in timeouts:
        custom = replace(custom, read_timeout=_seconds(timeouts, "readTimeout"))
    connect = origin.connection_timeout
    if "connectionTimeout" in timeouts:
        connect = _seconds(timeouts, "connectionTimeout", most=10)
    complete = origin.completion_timeout
    if "responseCompletionTimeout" in timeouts:
        complete = _seconds(timeouts, "responseCompletionTimeout", most=86_400)
    return replace(
        origin,
        domain_name=name,
        path=path.rstrip("/"),
        custom=custom,
        custom_headers=_headers(settings["customHeaders"]) if "customHeaders" in settings else origin.custom_headers,
        connection_attempts=attempts,
        connection_timeout=connect,
        completion_timeout=complete,
    )


def _custom(before: CustomOrigin, settings: Any) -> CustomOrigin:
    if not isinstance(settings, dict) or settings.get("protocol") not in ("http", "https"):
        raise invalid("customOriginConfig needs a protocol, which is http or https")
    port = settings.get("port", 443 if settings["protocol"] == "https" else 80)
    if not isinstance(port, int) or not 0 < port < 65536:
        raise invalid("customOriginConfig.port is not a port number")
    if settings["protocol"] == "https":
        return replace(before, protocol_policy="https-only", https_port=port)
    return replace(before, protocol_policy="http-only", http_port=port)


def _seconds(timeouts: Mapping[str, Any], name: str, *, most: int = 120) -> int:
    value = timeouts[name]
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise invalid(f"timeouts.{name} is not a number of seconds from 1 to {most}")
    return value


def _headers(given: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(given, dict):
        raise invalid("customHeaders must be an object")
    pairs: list[tuple[str, str]] = []
    for name, each in given.items():
        value = each.get("value") if isinstance(each, dict) else each
        if not isinstance(value, str):
            raise invalid(f"customHeaders[{name[:60]!r}] must be a string")
        try:
            check_custom(name, value)
        except InvalidHeaderError as error:
            raise invalid(str(error)) from None
        pairs.append((name, value))
    return tuple(pairs)
