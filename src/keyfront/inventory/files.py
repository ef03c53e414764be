"""An account from files: what the AWS CLI prints of it, and a folder of public keys.

For an edge without the account: `aws cloudfront get-distribution-config --id ID > shop.json` is enforced as it
stands. Answers of `get-key-group`, `get-public-key`, `get-cache-policy`, `get-origin-request-policy` and
`get-response-headers-policy`, and of the lists of those, are understood as well.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from keyfront.core.keys import PublicKey
from keyfront.errors import InputError, KeyLoadError
from keyfront.inventory.documents import parse_distribution
from keyfront.inventory.origins import with_origins
from keyfront.inventory.policies import Document, cache_policy, origin_request_policy
from keyfront.inventory.response_headers import ResponseHeadersPolicy, response_headers_policy
from keyfront.inventory.values import (
    CachePolicy,
    Distribution,
    Inventory,
    KeyGroup,
    OriginRequestPolicy,
    TrustedKey,
)


@dataclass
class _Found:
    distributions: list[Distribution] = field(default_factory=list)
    key_groups: dict[str, KeyGroup] = field(default_factory=dict)
    keys: dict[str, TrustedKey] = field(default_factory=dict)
    cache_policies: dict[str, CachePolicy] = field(default_factory=dict)
    origin_request_policies: dict[str, OriginRequestPolicy] = field(default_factory=dict)
    response_headers_policies: dict[str, ResponseHeadersPolicy] = field(default_factory=dict)

    def add(self, other: "_Found") -> None:
        self.distributions += other.distributions
        for name in ("key_groups", "keys", *_POLICIES):
            getattr(self, name).update(getattr(other, name))


_POLICIES = ("cache_policies", "origin_request_policies", "response_headers_policies")


@dataclass(frozen=True)
class Reading:
    """An account as it was read, and what is missing in it."""

    inventory: Inventory
    untrusted: tuple[str, ...] = ()
    """What is wrong with keys and key groups: those are not trusted, whatever was read before."""
    kept: tuple[str, ...] = ()
    """What else could not be read: that is as it was before."""


def read_files(
    files: Iterable[Path], *, keys: Path | None = None, origins: Mapping[str, str] | None = None
) -> Inventory:
    """The account that `files` (JSON) and `keys` describe.

    A configuration without an id has its file's name as one. `keys` is a folder: `GROUP/KEY.pem` is a key of the
    key group with that id, and `KEY.pem` beside the groups' folders one of the only group there is. `origins` maps
    ids of origins to the URLs where they are reached instead. Raises `InputError` for what cannot be read or does
    not fit together: a group that no key is known of is an error too, since nobody could get in.
    """
    reading = SavedInventory(files, keys=keys, origins=origins).read()
    if reading.untrusted:
        raise InputError(reading.untrusted[0])
    return reading.inventory


class SavedInventory:
    """An account in files, which is read again and again.

    A key that is gone, or that cannot be read any more, is not in the next reading, and no fault in another file
    delays that. Distributions and policies whose file cannot be read stay as they were.
    """

    def __init__(
        self, files: Iterable[Path], *, keys: Path | None = None, origins: Mapping[str, str] | None = None
    ) -> None:
        """As `read_files` takes them."""
        self._files = tuple(files)
        self._folder = keys
        self._origins = origins or {}
        self._documents: dict[Path, tuple[bytes, _Found]] = {}
        self._distributions: tuple[Distribution, ...] = ()

    def read(self) -> Reading:
        """What there is now. Raises `InputError` for what cannot be used and was not read before either."""
        found = _Found()
        untrusted: list[str] = []
        kept: list[str] = []
        for path in self._files:
            document, why = self._document(path)
            found.add(document)
            if why:
                (untrusted if document == _Found() else kept).append(why)
        try:
            self._distributions = self._fitting(found.distributions)
        except InputError as error:
            if not self._distributions:
                raise
            kept.append(str(error))
        untrusted += self._take_keys(found)
        inventory = Inventory(
            distributions=self._distributions,
            key_groups=found.key_groups,
            keys=found.keys,
            cache_policies=found.cache_policies,
            origin_request_policies=found.origin_request_policies,
            response_headers_policies=found.response_headers_policies,
        )
        return Reading(inventory, tuple(untrusted), tuple(kept))

    def _document(self, path: Path) -> tuple[_Found, str]:
        """What a file holds; if it cannot be read, what it held before but for its keys, and why."""
        before = self._documents.get(path)
        try:
            content = _content(path)
            if before is None or content != before[0]:
                self._documents[path] = before = (content, _parsed(path, content))
        except InputError as error:
            if before is None:
                raise
            return replace(before[1], keys={}, key_groups={}), str(error)
        return before[1], ""

    def _fitting(self, distributions: list[Distribution]) -> tuple[Distribution, ...]:
        if not distributions:
            raise InputError("no file holds a distribution: give what `aws cloudfront get-distribution-config` prints")
        _check_ids(distributions)
        return tuple(with_origins(distributions, self._origins))

    def _take_keys(self, found: _Found) -> list[str]:
        """Add the folder's keys to `found`, and say which keys and groups nobody can trust."""
        named = sorted({group for each in self._distributions for group in _groups(each)})
        wrong = _take_folder(found, self._folder, named) if self._folder is not None else []
        for group in named:
            if group not in found.key_groups:
                wrong.append(
                    f"no key of the key group {group} is known: put its public keys into "
                    f"{self._folder or 'KEYS'}/{group}/, each in a file named by its id, or give what "
                    "`aws cloudfront get-key-group` prints"
                )
            else:
                missing = [key for key in found.key_groups[group].keys if key not in found.keys]
                wrong += [f"key group {group} holds {key}, and no file has that public key" for key in missing]
        return wrong


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be read: {error.strerror}") from None


def _parsed(path: Path, content: bytes) -> _Found:
    found = _Found()
    try:
        document = json.loads(content)
    except ValueError as error:
        raise InputError(f"{str(path)!r} is no JSON: {error}") from None
    if not isinstance(document, dict):
        raise InputError(f"{str(path)!r} holds no JSON object")
    if {"Distribution", "DistributionConfig", "DefaultCacheBehavior"} & document.keys():
        try:
            found.distributions.append(_distribution(document, path.stem))
        except InputError as error:
            raise InputError(f"{str(path)!r}: {error}") from None
        return found
    for kind, take in _KINDS.items():
        if kind in document or f"{kind}List" in document:
            try:
                for item in _items(document, kind):
                    take(found, item)
            except (KeyError, TypeError, ValueError, AttributeError, KeyLoadError) as error:
                raise InputError(f"{str(path)!r} holds no {kind} that can be used: {error}") from None
            return found
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


def _take_folder(found: _Found, folder: Path, named: list[str]) -> list[str]:
    """Add the keys of `folder`; returns what is wrong with it."""
    if not os.path.isdir(folder):  # noqa: PTH112  Path.is_dir raises where a folder above cannot be entered
        return [f"{str(folder)!r} is no folder: give one with a file KEY.pem for each public key"]
    flat, wrong = _load(folder)
    found.keys.update(flat)
    for group in named:
        held, unusable = _load(folder / group) if os.path.lexists(folder / group) else ({}, [])
        found.keys.update(held)
        wrong += unusable
        if group in found.key_groups:
            continue
        if held:
            found.key_groups[group] = KeyGroup(group, group, tuple(held))
        elif flat and len(named) == 1:
            found.key_groups[group] = KeyGroup(group, group, tuple(flat))
        elif flat:
            # Any guess would let one group's keys into what another protects.
            wrong.append(
                f"{len(named)} key groups are trusted, and {str(folder)!r} does not say whose its keys are: "
                f"put them into folders named by the groups' ids ({', '.join(named)})"
            )
    return wrong


def _load(folder: Path) -> tuple[dict[str, TrustedKey], list[str]]:
    """The keys in `folder` by their ids, and why others cannot be used."""
    keys, wrong = {}, []
    try:
        # Not `glob`: that finds nothing in a folder which cannot be read, and does not say so.
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".pem")
    except OSError as error:
        return {}, [f"the folder {str(folder)!r} cannot be read: {error.strerror}"]
    for path in paths:
        try:
            keys[path.stem] = TrustedKey(path.stem, path.stem, _public_key(path.read_bytes()))
        except (OSError, KeyLoadError) as error:
            wrong.append(f"{str(path)!r} is no public key that CloudFront would take: {error}")
    return keys, wrong


@lru_cache(maxsize=256)
def _public_key(pem: bytes) -> PublicKey:
    return PublicKey.load(pem)
