"""Policies, which say what a signature allows: as values, as signed bytes, and parsed from JSON.

Source: Developer Guide, "Create a signed URL using a canned policy" and "… using a custom policy".
"""

import json
import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from json.encoder import encode_basestring_ascii
from typing import Final

from keyfront.core.networks import malformed_network, network
from keyfront.core.urls import link_url, resource_pattern, viewer_url
from keyfront.errors import PolicyError

LATEST: Final = 9_223_372_036
"""The last second that a policy can name (April 2262). A later time is malformed: assumed, see `Policy.parse`."""

Moment = datetime | timedelta | int | float
"""An aware datetime, a timedelta from now, or seconds since the epoch."""

_MOST_SPAN: Final = 10 * 366 * 24 * 3600
"""A number of seconds below this, ten years, is not meant as a time: it would be one before 1980."""


@dataclass(frozen=True, slots=True)
class Policy:
    """One statement: when and from which addresses `resource` may be requested. Times are seconds since the epoch."""

    resource: str | None
    """A URL or a pattern with wildcards; `None` covers everything that trusts the key."""
    expires: int
    starts: int | None = None
    ip: str | None = None
    """An IPv4 network in CIDR form."""

    def __post_init__(self) -> None:
        if type(self.expires) is not int or not 0 <= self.expires <= LATEST:
            _second(self.expires, "DateLessThan")
        if self.starts is not None:
            _second(self.starts, "DateGreaterThan")
        if self.ip is not None and network(self.ip) != self.ip:
            raise malformed_network(f"AWS:SourceIp is {self.ip}: in CIDR form it is {network(self.ip)}", self.ip)
        if self.resource == "":
            raise PolicyError("Resource is empty", member="Resource", value="")

    @classmethod
    def canned(cls, url: str, *, expires: Moment, now: float, link: bool = False) -> "Policy":
        """Return the policy for one URL until one moment. `*` and `?` are ordinary characters in it.

        `now` is the current time in seconds since the epoch. With `link` the policy is for a signed link
        (`link_url`), otherwise for what a browser sends (`viewer_url`). Raises `URLError` and `PolicyError`.
        """
        sent = link_url(url) if link else viewer_url(url)
        return unchecked(sent, _end(expires, now))

    @classmethod
    def custom(
        cls,
        resource: str | None,
        *,
        expires: Moment,
        now: float,
        starts: Moment | None = None,
        ip: str | None = None,
        link: bool = False,
    ) -> "Policy":
        """Return the policy for a URL or a pattern with `*` and `?`, perhaps with a start and an IPv4 address or range.

        With `resource=None` it opens everything that trusts the key. `link` is as for `canned`. Raises `URLError` and
        `PolicyError`.
        """
        end, start = validity(expires, starts, now)
        pattern = None if resource is None else resource_pattern(resource, link=link)
        return unchecked(pattern, end, start, None if ip is None else network(ip))

    def to_bytes(self) -> bytes:
        """Return the JSON to sign: no white space, members in the order that every SDK uses."""
        return canonical(self.resource, self.expires, self.starts, self.ip)

    @classmethod
    def parse(cls, data: bytes) -> "Policy":
        """Return the policy in `data`, any JSON that is legal for one. Raises `PolicyError`, which says what is wrong.

        Assumed, and the safe choice: a policy is malformed if it has a member that CloudFront does not name, a member
        twice, a time that is not an integer from 0 to `LATEST`, or a network with host bits.
        """
        if (usual := _is_usual(data)) is not None:
            return _of_members(*usual.groups())
        try:
            document = _JSON.decode(data.decode("utf-8"))
        except UnicodeDecodeError:
            raise PolicyError("the policy is not UTF-8 text", reason="policy-not-json") from None
        except RecursionError:
            raise PolicyError("the policy is nested too deeply", reason="policy-not-json") from None
        except PolicyError:
            raise
        except ValueError as error:
            raise PolicyError(f"the policy is not JSON: {error}", reason="policy-not-json") from None
        statement = _members_of(document, "the policy", required=("Statement",))["Statement"]
        if isinstance(statement, list):
            if len(statement) != 1:
                text = f"the policy has {len(statement)} statements: exactly one is allowed"
                raise PolicyError(text, reason="policy-several-statements", member="Statement")
            statement = statement[0]
        named = _members_of(statement, "Statement", required=("Condition",), optional=("Resource",))
        resource = named.get("Resource")
        if "Resource" in named and not isinstance(resource, str):
            reason = "policy-several-statements" if isinstance(resource, list) else ""
            raise PolicyError("Resource is not text", reason=reason, member="Resource")
        condition = _members_of(
            named["Condition"], "Condition", required=("DateLessThan",), optional=("DateGreaterThan", "IpAddress")
        )
        return cls(
            resource=resource if isinstance(resource, str) else None,
            expires=_parsed_time(condition, "DateLessThan"),
            starts=_parsed_time(condition, "DateGreaterThan") if "DateGreaterThan" in condition else None,
            ip=_parsed_network(condition["IpAddress"]) if "IpAddress" in condition else None,
        )


_set_resource, _set_expires, _set_starts, _set_ip = (
    getattr(Policy, name).__set__ for name in ("resource", "expires", "starts", "ip")
)


def unchecked(resource: str | None, expires: int, starts: int | None = None, ip: str | None = None) -> Policy:
    """Return the policy with these members, which were checked already.

    `Policy(…)` takes twice the time, because it checks them again and is frozen. Each signature needs a policy.
    """
    policy = object.__new__(Policy)
    _set_resource(policy, resource)
    _set_expires(policy, expires)
    _set_starts(policy, starts)
    _set_ip(policy, ip)
    return policy


def canonical(resource: str | None, expires: int, starts: int | None = None, ip: str | None = None) -> bytes:
    """Return the bytes of a policy with these members, unchecked (see `Policy.to_bytes`)."""
    # A signer's resource needs no escaping. A request's resource might, and must not break out of the string.
    member = "" if resource is None else f'"Resource":{encode_basestring_ascii(resource)},'
    address = "" if ip is None else f',"IpAddress":{{"AWS:SourceIp":"{ip}"}}'
    start = "" if starts is None else f',"DateGreaterThan":{{"AWS:EpochTime":{starts}}}'
    return (
        f'{{"Statement":[{{{member}"Condition":{{"DateLessThan":{{"AWS:EpochTime":{expires}}}{address}{start}}}}}]}}'
    ).encode()


def validity(expires: Moment, starts: Moment | None, now: float) -> tuple[int, int | None]:
    """Return both times in seconds since the epoch. Raises `PolicyError` if there is no time between them."""
    end = _end(expires, now)
    if starts is None:
        return end, None
    start = epoch(starts, now, "starts")
    if start >= end:
        text = f"starts ({_when(start)}) is not before expires ({_when(end)})"
        raise PolicyError(text, reason="starts-after-expiry", member="starts", value=start)
    return end, start


def _end(expires: Moment, now: float) -> int:
    end = epoch(expires, now, "expires")
    if end <= now:
        text = f"expires is {_when(end)}, which is {_ago(now - end)}: choose a time in the future"
        span = end < _MOST_SPAN and not isinstance(expires, datetime | timedelta)
        if span:
            text = (
                f"expires is {end}, which is {_when(end)} and looks like a duration: "
                f"for a span from now give timedelta(seconds={end}) (--expires {end}s)"
            )
        raise PolicyError(text, reason="expires-is-a-duration" if span else "expired", member="expires", value=end)
    return end


def epoch(moment: Moment, now: float, what: str = "the time") -> int:
    """Return `moment` in whole seconds since the epoch. Raises `PolicyError` unless it has exactly one meaning."""
    if type(moment) is int and 0 <= moment <= LATEST:
        return moment
    if isinstance(moment, datetime):
        if moment.utcoffset() is None:
            raise PolicyError(
                f"{what} is {moment.isoformat()} without a time zone: use datetime.now(timezone.utc) + … or set tzinfo",
                reason="time-zone-missing",
                member=what,
                value=moment,
            )
        seconds: float = moment.timestamp()
    elif isinstance(moment, timedelta):
        seconds = now + moment.total_seconds()
    elif isinstance(moment, int | float) and not isinstance(moment, bool):
        seconds = moment
    else:
        text = f"{what} is a {type(moment).__name__}: give an aware datetime, a timedelta or epoch seconds"
        if isinstance(moment, str):
            text += "; for a duration such as '1h' give timedelta(hours=1)"
        raise PolicyError(text, reason="time-malformed", member=what)
    if not seconds >= 0:
        text = f"{what} is {_given(moment)}: give a time after 1970"
        raise PolicyError(text, reason="time-malformed", member=what, value=moment)
    if seconds > LATEST:
        hint = "; it looks like milliseconds: divide by 1000" if _like_milliseconds(moment) else ""
        text = f"{what} is {_given(moment)}, past the last second a policy can name, {LATEST}{hint}"
        raise PolicyError(text, reason=_wrong_second(what, seconds), member=what, value=moment)
    return int(seconds)


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise PolicyError("the policy names a member twice", member=twice[:40])
    return members


# A policy as `canonical` and every SDK write it, with nothing escaped. Any other policy is read as JSON.
_is_usual = re.compile(
    rb'\{"Statement":\[\{"Resource":"([^"\\\x00-\x1f\x7f-\xff]++)",'
    rb'"Condition":\{"DateLessThan":\{"AWS:EpochTime":(0|[1-9][0-9]{0,9})\}'
    rb'(?:,"IpAddress":\{"AWS:SourceIp":"([0-9./]{1,18})"\})?'
    rb'(?:,"DateGreaterThan":\{"AWS:EpochTime":(0|[1-9][0-9]{0,9})\})?\}\}\]\}'
).fullmatch


def _of_members(resource: bytes, expires: bytes, ip: bytes | None, starts: bytes | None) -> Policy:
    end, start = (
        _second(int(expires), "DateLessThan"),
        None if starts is None else _second(int(starts), "DateGreaterThan"),
    )
    return unchecked(resource.decode("ascii"), end, start, None if ip is None else network(ip.decode("ascii")))


_JSON: Final = json.JSONDecoder(object_pairs_hook=_members)


def _members_of(
    value: object, where: str, *, required: tuple[str, ...], optional: tuple[str, ...] = ()
) -> dict[str, object]:
    """Return `value` as an object that has the required members and no others except optional ones."""
    if not isinstance(value, dict):
        raise PolicyError(f"{where} is not an object", member=where)
    for name in required:
        if name not in value:
            reason = "policy-without-expiry" if name in ("Condition", "DateLessThan") else ""
            raise PolicyError(f"{where} has no {name}", reason=reason, member=name)
    for name in value:
        if name not in required and name not in optional:
            text = f"{where} has a member that CloudFront does not support: {name[:40]!a}"
            raise PolicyError(text, member=name[:40])
    return value


def _parsed_time(condition: dict[str, object], name: str) -> int:
    return _second(_members_of(condition[name], name, required=("AWS:EpochTime",))["AWS:EpochTime"], name)


def _second(value: object, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        text = f"{name} is not an integer: seconds since the epoch, without quotes"
        raise PolicyError(text, reason="time-is-text", member=name, value=value)
    if not 0 <= value <= LATEST:
        hint = ", which looks like milliseconds" if _like_milliseconds(value) else ""
        text = f"{name} is {_given(value)}{hint}: seconds since the epoch go to {LATEST}"
        raise PolicyError(text, reason=_wrong_second(name, value), member=name, value=value)
    return value


def _parsed_network(value: object) -> str:
    source = _members_of(value, "IpAddress", required=("AWS:SourceIp",))["AWS:SourceIp"]
    if not isinstance(source, str):
        raise malformed_network("AWS:SourceIp is not text: give exactly one IPv4 address or range", source)
    return network(source)


def _wrong_second(name: str, moment: float) -> str:
    """Return the reason for a time that no policy can name."""
    if moment < 0:
        return "time-malformed"
    if name in ("starts", "DateGreaterThan"):
        return "starts-not-a-second"
    return "expires-in-milliseconds" if _like_milliseconds(moment) else "expires-too-late"


def _like_milliseconds(moment: Moment) -> bool:
    return isinstance(moment, int | float) and LATEST < moment < LATEST * 1000


def _given(moment: Moment) -> str:
    # Python refuses to format an integer with thousands of digits.
    big = isinstance(moment, int) and moment.bit_length() > 128
    return "a number of more than 38 digits" if big else str(moment)


def _when(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError):
        return str(seconds)


def _ago(seconds: float) -> str:
    return "now" if seconds < 1 else f"{timedelta(seconds=int(seconds))} ago"
