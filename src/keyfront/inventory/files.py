"""An account from files: what the AWS CLI prints of it, and a folder of public keys.

For an edge without the account: `aws cloudfront get-distribution-config --id ID > shop.json` is enforced as it
stands. Answers of `get-key-group`, `get-public-key`, `get-cache-policy`, `get-origin-request-policy` and
`get-response-headers-policy`, and of the lists of those, are understood as well.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from keyfront.errors import InputError, KeyLoadError
from keyfront.inventory.documents import parse_distribution
from keyfront.inventory.policies import Document, cache_policy, origin_request_policy
from keyfront.inventory.response_headers import ResponseHeadersPolicy, response_headers_policy
from keyfront.inventory.values import (
    CachePolicy,
    CustomOrigin,
    Distribution,
    Inventory,
    KeyGroup,
    Origin,
    OriginRequestPolicy,
    TrustedKey,
)
from keyfront.keys import PublicKey


@dataclass
class _Found:
    distributions: list[Distribution] = field(default_factory=list)
    key_groups: dict[str, KeyGroup] = field(default_factory=dict)
    keys: dict[str, TrustedKey] = field(default_factory=dict)
    cache_policies: dict[str, CachePolicy] = field(default_factory=dict)
    origin_request_policies: dict[str, OriginRequestPolicy] = field(default_factory=dict)
    response_headers_policies: dict[str, ResponseHeadersPolicy] = field(default_factory=dict)


def read_files(
    files: Iterable[Path], *, keys: Path | None = None, origins: Mapping[str, str] | None = None
) -> Inventory:
    """The account that `files` (JSON) and `keys` describe.

    A configuration without an id has its file's name as one. `keys` is a folder: `GROUP/KEY.pem` is a key of the
    key group with that id, and `KEY.pem` beside the groups' folders one of the only group there is. `origins` maps
    ids of origins to the URLs where they are reached instead. Raises `InputError` for what cannot be read or does
    not fit together: a group that no key is known of is an error too, since nobody could get in.
    """
    found = _Found()
    for path in files:
        _take(found, path)
    if not found.distributions:
        raise InputError("no file holds a distribution: give what `aws cloudfront get-distribution-config` prints")
    _check_ids(found.distributions)
    named = sorted({group for each in found.distributions for group in _groups(each)})
    if keys is not None:
        _take_keys(found, keys, named)
    for group in named:
        if group not in found.key_groups:
            raise InputError(
                f"no key of the key group {group} is known: put its public keys into {keys or 'KEYS'}/{group}/, "
                "each in a file named by its id, or give what `aws cloudfront get-key-group` prints"
            )
        if missing := [key for key in found.key_groups[group].keys if key not in found.keys]:
            raise InputError(f"key group {group} holds {missing[0]}, and no file has that public key")
    return Inventory(
        distributions=tuple(_with_origins(found.distributions, origins or {})),
        key_groups=found.key_groups,
        keys=found.keys,
        cache_policies=found.cache_policies,
        origin_request_policies=found.origin_request_policies,
        response_headers_policies=found.response_headers_policies,
    )


def _take(found: _Found, path: Path) -> None:
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise InputError(f"{str(path)!r} is no JSON: {error}") from None
    if not isinstance(document, dict):
        raise InputError(f"{str(path)!r} holds no JSON object")
    if {"Distribution", "DistributionConfig", "DefaultCacheBehavior"} & document.keys():
        try:
            found.distributions.append(_distribution(document, path.stem))
        except InputError as error:
            raise InputError(f"{str(path)!r}: {error}") from None
        return
    for kind, take in _KINDS.items():
        if kind in document or f"{kind}List" in document:
            try:
                for item in _items(document, kind):
                    take(found, item)
            except (KeyError, TypeError, ValueError, AttributeError, KeyLoadError) as error:
                raise InputError(f"{str(path)!r} holds no {kind} that can be used: {error}") from None
            return
    known = ", ".join(["Distribution", "DistributionConfig", *_KINDS])
    raise InputError(f"{str(path)!r} is nothing that is known here: it has none of {known}")


def _distribution(document: Document, name: str) -> Distribution:
    """A distribution; where the file does not say what the service calls it, its file's name does."""
    found = parse_distribution(document, id=name)
    return found if found.domain_name else replace(found, domain_name=f"{found.id.lower()}.cloudfront.localhost")


def _items(document: Document, kind: str) -> Iterator[Document]:
    if kind in document:
        yield document[kind]
        return
    for item in document[f"{kind}List"].get("Items") or ():
        yield item.get(kind, item)


def _take_group(found: _Found, item: Document) -> None:
    config = item["KeyGroupConfig"]
    found.key_groups[item["Id"]] = KeyGroup(item["Id"], config["Name"], tuple(config["Items"]))


def _take_key(found: _Found, item: Document) -> None:
    config = item.get("PublicKeyConfig", item)
    found.keys[item["Id"]] = TrustedKey(item["Id"], config["Name"], PublicKey.load(config["EncodedKey"]))


def _take_policy(kind: str, parse: Callable[[Document], Any]) -> Callable[[_Found, Document], None]:
    def take(found: _Found, item: Document) -> None:
        policy = parse(item)
        getattr(found, kind)[policy.id] = policy

    return take


_KINDS: dict[str, Callable[[_Found, Document], None]] = {
    "KeyGroup": _take_group,
    "PublicKey": _take_key,
    "CachePolicy": _take_policy("cache_policies", cache_policy),
    "OriginRequestPolicy": _take_policy("origin_request_policies", origin_request_policy),
    "ResponseHeadersPolicy": _take_policy("response_headers_policies", response_headers_policy),
}


def _check_ids(distributions: Iterable[Distribution]) -> None:
    seen: set[str] = set()
    for each in distributions:
        if each.id in seen:
            raise InputError(f"two files hold a distribution {each.id}: give each a file name of its own")
        seen.add(each.id)


def _groups(distribution: Distribution) -> Iterator[str]:
    for behavior in (distribution.default_behavior, *distribution.behaviors):
        yield from behavior.trusted_key_groups


def _take_keys(found: _Found, folder: Path, named: list[str]) -> None:
    if not folder.is_dir():
        raise InputError(f"{str(folder)!r} is no folder: give one with a file KEY.pem for each public key")
    flat = _load(folder)
    found.keys.update(flat)
    for group in named:
        held = _load(folder / group) if (folder / group).is_dir() else {}
        found.keys.update(held)
        if group in found.key_groups:
            continue
        if held:
            found.key_groups[group] = KeyGroup(group, group, tuple(held))
        elif flat and len(named) == 1:
            found.key_groups[group] = KeyGroup(group, group, tuple(flat))
        elif flat:
            # Any guess would let one group's keys into what another protects.
            raise InputError(
                f"{len(named)} key groups are trusted, and {str(folder)!r} does not say whose its keys are: "
                f"put them into folders named by the groups' ids ({', '.join(named)})"
            )


def _load(folder: Path) -> dict[str, TrustedKey]:
    keys = {}
    for path in sorted(folder.glob("*.pem")):
        try:
            keys[path.stem] = TrustedKey(path.stem, path.stem, PublicKey.load(path.read_bytes()))
        except (OSError, KeyLoadError) as error:
            raise InputError(f"{str(path)!r} is no public key that CloudFront would take: {error}") from None
    return keys


def _with_origins(distributions: Iterable[Distribution], origins: Mapping[str, str]) -> Iterator[Distribution]:
    distributions = tuple(distributions)
    known = {origin.id for each in distributions for origin in each.origins}
    if unknown := sorted(origins.keys() - known):
        raise InputError(f"there is no origin {unknown[0]!r}: the configuration has {', '.join(sorted(known))}")
    for each in distributions:
        yield replace(
            each,
            origins=tuple(
                _moved(origin, origins[origin.id]) if origin.id in origins else origin for origin in each.origins
            ),
        )


def _moved(origin: Origin, url: str) -> Origin:
    """The origin at another place: a web server there, with the path and headers that the origin has."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise InputError(f"the origin {origin.id} cannot be at {url!r}: give http://host:port or https://host:port")
    before = origin.custom or CustomOrigin()
    secure = parts.scheme == "https"
    custom = replace(
        before,
        http_port=before.http_port if secure else port or 80,
        https_port=(port or 443) if secure else before.https_port,
        protocol_policy="https-only" if secure else "http-only",
    )
    return replace(
        origin,
        domain_name=parts.hostname,
        path=parts.path.rstrip("/") + origin.path,
        custom=custom,
        access_control="",
        access_identity="",
    )
