"""A replacement for `botocore.signers.CloudFrontSigner`: the same methods, the same bytes, and cookies.

If botocore would sign a URL that no viewer can open, this signer fixes or refuses it (docs/boto3.md lists all cases).
"""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from os import PathLike
from typing import Final, Protocol

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from keyfront.core import encoding, misuse
from keyfront.core.cookies import SignedCookies
from keyfront.core.key_ids import checked_key_pair_id
from keyfront.core.keys import SigningKey
from keyfront.core.misuse import Caution, bounded, warn
from keyfront.core.networks import network
from keyfront.core.policy import LATEST, Policy, epoch
from keyfront.core.resource import covers
from keyfront.core.signing import Signer
from keyfront.core.urls import link_url, resource_pattern, shown, viewer_url, with_parameters
from keyfront.errors import InputError, PolicyError, URLError

_SHORTEST: Final = 8  # bytes: the length of the shortest ASN.1 signature of two numbers


class HasSigner(Protocol):
    """A source of the current signer, such as a `KeyStore`."""

    def signer(self) -> Signer:
        """Return the current signer."""


Key = Callable[[bytes], bytes] | SigningKey | Signer | HasSigner | rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
"""A function from the policy's bytes to their SHA-1 signature, as in botocore; or a key, or a source of a key."""


class CloudFrontSigner:
    """Signs as botocore's `CloudFrontSigner` does.

    `key_id` is the public key's id in CloudFront; `None` takes the id of a `Signer` or a `KeyStore`. `rsa_signer` is a
    function as in botocore, a `SigningKey` (RSA or ECDSA), a `Signer`, a `KeyStore`, or a private key of the
    `cryptography` package. Raises `InputError`, which is a `ValueError`, as botocore's errors are.
    """

    def __init__(self, key_id: str | None, rsa_signer: Key) -> None:
        if key_id is not None:
            checked_key_pair_id(key_id, "key_id")
        self._given_id = key_id
        self._source = _source(key_id, rsa_signer)
        self.rsa_signer = rsa_signer

    @property
    def key_id(self) -> str:
        """The key-pair id of the current signer."""
        return self._current()[0]

    def generate_presigned_url(
        self, url: str, date_less_than: datetime | None = None, policy: str | bytes | None = None
    ) -> str:
        """Return `url` signed until `date_less_than` (canned policy) or with `policy` (custom, from `build_policy`).

        A `datetime` without a time zone is UTC, as in botocore. A custom policy is signed unchanged, byte for byte.
        Raises `InputError`, `URLError` and `PolicyError`.
        """
        url = link_url(url)
        warn(misuse.of_url(url))
        if date_less_than is not None and policy is None:
            warn(misuse.of_canned_url(url))
            signed, end = self._canned(url, date_less_than)
            parameters = f"Expires={end}"
        else:
            signed = self._custom(policy, date_less_than, url)
            parameters = f"Policy={encoding.encode(signed)}"
        key_id, sign, tail = self._current()
        return with_parameters(url, f"{parameters}&Signature={sign(signed)}&Key-Pair-Id={key_id}{tail}")

    def generate_cookies(
        self, resource: str | None = None, date_less_than: datetime | None = None, policy: str | bytes | None = None
    ) -> SignedCookies:
        """Return cookies for `resource` until `date_less_than`, or for a `policy`. botocore has no such method.

        `resource` is one URL or a pattern with `*` and `?`. Set the cookies with `SignedCookies.set_cookie_headers`.
        """
        if resource is not None and date_less_than is not None and policy is None:
            if "*" in resource or "?" in resource:
                signed = self._custom(self.build_policy(resource, date_less_than), None, None)
                values = {"CloudFront-Policy": encoding.encode(signed)}
            else:
                url = viewer_url(resource)
                warn(misuse.of_cookie_resource(url))
                signed, end = self._canned(url, date_less_than)
                values = {"CloudFront-Expires": str(end)}
        elif resource is not None and policy is not None:
            raise InputError("a policy names its own resource: give policy alone, or resource and date_less_than")
        else:
            signed = self._custom(policy, date_less_than, None)
            values = {"CloudFront-Policy": encoding.encode(signed)}
        key_id, sign, tail = self._current()
        values |= {"CloudFront-Signature": sign(signed), "CloudFront-Key-Pair-Id": key_id}
        if tail:
            values["CloudFront-Hash-Algorithm"] = "SHA256"
        return SignedCookies(values)

    def build_policy(
        self,
        resource: str,
        date_less_than: datetime,
        date_greater_than: datetime | None = None,
        ip_address: str | None = None,
    ) -> str:
        """Return a custom policy as compact JSON, with its members in botocore's order.

        `ip_address` is one IPv4 address or range. Raises `URLError` and `PolicyError`.
        """
        pattern = resource_pattern(resource)
        warn(misuse.of_resource(pattern))
        end = _second(date_less_than, "date_less_than")
        condition: dict[str, dict[str, int | str]] = {"DateLessThan": {"AWS:EpochTime": end}}
        if ip_address:
            condition["IpAddress"] = {"AWS:SourceIp": network(ip_address)}
            warn(misuse.of_network(network(ip_address)))
        if date_greater_than:
            start = _second(date_greater_than, "date_greater_than")
            if start >= end:
                text = f"date_greater_than ({start}) is not before date_less_than ({end}): give an earlier start"
                raise PolicyError(text, reason="starts-after-expiry", member="date_greater_than", value=start)
            condition["DateGreaterThan"] = {"AWS:EpochTime": start}
        return json.dumps({"Statement": [{"Resource": pattern, "Condition": condition}]}, separators=(",", ":"))

    def _canned(self, url: str, date: datetime) -> tuple[bytes, int]:
        end = _second(date, "date_less_than")
        self._judge_lifetime(end)
        return Policy(url, end).to_bytes(), end

    def _custom(self, policy: str | bytes | None, date: datetime | None, url: str | None) -> bytes:
        """Return the bytes of a custom policy. Checks that it is valid and covers `url`."""
        if policy is None or date is not None:
            raise InputError("Need to provide either date_less_than or policy, but not both")
        data = policy.encode("utf-8") if isinstance(policy, str) else policy
        parsed = Policy.parse(data)
        self._judge_lifetime(parsed.expires)
        if url is not None and parsed.resource is not None and not covers(parsed.resource, url):
            text = (
                f"the policy's resource {shown(parsed.resource)} does not cover {shown(url)}, so CloudFront would "
                "refuse the link: give a policy whose resource covers it"
            )
            raise URLError(text, reason="resource-does-not-cover", member="policy")
        return data

    def _judge_lifetime(self, end: int) -> None:
        signer = self._source if isinstance(self._source, Signer) else self._source()
        warn(_of_life(end, signer.max_lifetime if isinstance(signer, Signer) else None))

    def _current(self) -> tuple[str, Callable[[bytes], str], str]:
        """Return the key-pair id, a function that signs in CloudFront's base64, and further parameters for a URL.

        All come from the same signer, even if a key store changes its key meanwhile.
        """
        signer = self._source() if not isinstance(self._source, Signer) else self._source
        if isinstance(signer, Signer):
            if self._given_id not in (None, signer.key_pair_id):
                raise InputError(
                    f"key_id is {self._given_id!r}, but the signer's id is {signer.key_pair_id!r}: "
                    "give key_id=None to use the signer's id"
                )
            key, algorithm = signer.key, signer.hash_algorithm
            tail = "&Hash-Algorithm=SHA256" if algorithm == "SHA256" else ""
            return signer.key_pair_id, lambda data: encoding.encode(key.sign(data, algorithm)), tail
        key_id, function = signer
        return key_id, lambda data: encoding.encode(_signature(function, data)), ""

    def __repr__(self) -> str:
        return f"CloudFrontSigner({self._given_id or 'the id of its signer'})"


_Source = Signer | Callable[[], Signer | tuple[str, Callable[[bytes], bytes]]]


def _source(key_id: str | None, given: Key) -> _Source:
    if isinstance(given, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        given = SigningKey(given)
    if isinstance(given, Signer):
        return given
    if isinstance(given, SigningKey):
        return Signer(_needed(key_id), given)
    if isinstance(given, str | bytes | bytearray | memoryview | PathLike):
        # The text may be the key, so it is not shown.
        raise InputError("rsa_signer is text: give SigningKey.load(pem), or SigningKey.load(Path(…)) for a file")
    if callable(given):
        function = given
        checked = _needed(key_id)
        return lambda: (checked, function)
    if callable(getattr(given, "signer", None)):
        return given.signer
    raise InputError(f"rsa_signer is a {type(given).__name__}: give a function, a SigningKey, a Signer or a KeyStore")


def _needed(key_id: str | None) -> str:
    return checked_key_pair_id(key_id, "key_id")


def _signature(function: Callable[[bytes], bytes], data: bytes) -> bytes:
    signature = function(data)
    if not isinstance(signature, bytes | bytearray | memoryview) or len(signature) < _SHORTEST:
        raise InputError(
            f"rsa_signer returned {'too few bytes' if isinstance(signature, bytes) else type(signature).__name__}: "
            "it must return the signature's bytes"
        )
    return bytes(signature)


def _of_life(end: int, most: timedelta | None) -> Iterator[Caution]:
    """Yield cautions about a lifetime until `end`. Raises `PolicyError` if it is over `most`."""
    left = end - time.time()
    if left <= 0:
        yield Caution("expired", "date_less_than is in the past, so the link opens nothing: give a later time")
    elif most is not None:
        bounded(left, most)
    else:
        yield from misuse.of_lifetime(left)


def _second(date: datetime, what: str) -> int:
    if not isinstance(date, datetime):
        text = f"{what} is a {type(date).__name__}: give a datetime"
        raise PolicyError(text, reason="time-malformed", member=what)
    if date.utcoffset() is None:
        date = date.replace(tzinfo=UTC)
    # Not `epoch(date)`: in the far future a float of seconds is not exact. This is how botocore counts.
    second = int((date - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
    return second if 0 < second <= LATEST else epoch(second, 0, what)
