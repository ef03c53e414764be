"""Reads an account from files: the AWS CLI's output, and a folder of public keys.

An edge without an account enforces the output of `aws cloudfront get-distribution-config --id ID > shop.json`
unchanged. It also reads the output of `get-key-group`, `get-public-key`, `get-cache-policy`,
`get-origin-request-policy`, `get-response-headers-policy`, `get-continuous-deployment-policy`, and of the matching
`list-…` commands.
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
from keyfront.inventory.continuous_deployment import DeploymentPolicy, deployment_policy
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
    deployment_policies: dict[str, DeploymentPolicy] = field(default_factory=dict)

    def add(self, other: "_Found") -> None:
        self.distributions += other.distributions
        for name in ("key_groups", "keys", *_POLICIES):
            getattr(self, name).update(getattr(other, name))


_POLICIES = ("cache_policies", "origin_request_policies", "response_headers_policies", "deployment_policies")


@dataclass(frozen=True)
class Reading:
    """An account as it was read, and its faults."""

    inventory: Inventory
    untrusted: tuple[str, ...] = ()
    """The faults of keys and key groups: those are not trusted, even if an earlier reading was good."""
    kept: tuple[str, ...] = ()
    """The faults of other files: their earlier content is kept."""


def read_files(
    files: Iterable[Path], *, keys: Path | None = None, origins: Mapping[str, str] | None = None
) -> Inventory:
    """Return the account that `files` (JSON) and `keys` describe.

    If a configuration has no id, its file's name is the id. `keys` is a folder: `GROUP/KEY.pem` is a key of the group
    with that id. `KEY.pem` directly in the folder belongs to the only group, if there is just one. `origins` maps
    origins' ids to the URLs where they are reached instead. Raises `InputError` if a file cannot be read or the files
    do not fit together. A group without a known key is an error too, because it would refuse every request.
    """
    reading = SavedInventory(files, keys=keys, origins=origins).read()
    if reading.untrusted:
        raise InputError(reading.untrusted[0])
    return reading.inventory


class SavedInventory:
    """An account in files that are read again and again.

    If a key is removed or can no longer be read, the next reading does not have it, even if another file has a fault.
    If the file of a distribution or policy cannot be read, its earlier content is kept.
    """

    def __init__(
        self, files: Iterable[Path], *, keys: Path | None = None, origins: Mapping[str, str] | None = None
    ) -> None:
        """The arguments are those of `read_files`."""
        self._files = tuple(files)
        self._folder = keys
        self._origins = origins or {}
        self._documents: dict[Path, tuple[bytes, _Found]] = {}
        self._distributions: tuple[Distribution, ...] = ()

    def read(self) -> Reading:
        """Return the current account. Raises `InputError` if a file cannot be used and was never read before."""
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
            deployment_policies=found.deployment_policies,
        )
        return Reading(inventory, tuple(untrusted), tuple(kept))

    def _document(self, path: Path) -> tuple[_Found, str]:
        """Return a file's content. If it cannot be read: its earlier content without keys, and why."""
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
            raise InputError(
                "no file holds a distribution: give the output of `aws cloudfront get-distribution-config`"
            )
        _check_ids(distributions)
        return tuple(with_origins(distributions, self._origins))

    def _take_keys(self, found: _Found) -> list[str]:
        """Add the folder's keys to `found`, and return the faults of keys and groups."""
        named = sorted({group for each in self._distributions for group in _groups(each)})
        wrong = _take_folder(found, self._folder, named) if self._folder is not None else []
        for group in named:
            if group not in found.key_groups:
                wrong.append(
                    f"no key of the key group {group} is known: put its public keys into "
                    f"{self._folder or 'KEYS'}/{group}/, each in a file named by its id, or give the output of "
                    "`aws cloudfront get-key-group`"
                )
            else:
                missing = [key for key in found.key_groups[group].keys if key not in found.keys]
                wrong += [f"key group {group} holds {key}, but no file has that public key" for key in missing]
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
        raise InputError(f"{str(path)!r} is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise InputError(f"{str(path)!r} does not hold a JSON object")
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
                raise InputError(f"{str(path)!r} holds no usable {kind}: {error}") from None
            return found
    known = ", ".join(["Distribution", "DistributionConfig", *_KINDS])
    raise InputError(f"{str(path)!r} is not a known kind of document: it has none of {known}")


def _distribution(document: Document, name: str) -> Distribution:
    """Return the distribution in a document. If the document has no id or domain name, `name` gives them."""
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
    "ContinuousDeploymentPolicy": _take_policy("deployment_policies", deployment_policy),
}


def _check_ids(distributions: Iterable[Distribution]) -> None:
    seen: set[str] = set()
    for each in distributions:
        if each.id in seen:
            raise InputError(f"two files hold a distribution {each.id}: give the files different names")
        seen.add(each.id)


def _groups(distribution: Distribution) -> Iterator[str]:
    for behavior in (distribution.default_behavior, *distribution.behaviors):
        yield from behavior.trusted_key_groups


def _take_folder(found: _Found, folder: Path, named: list[str]) -> list[str]:
    """Add the keys of `folder`, and return its faults."""
    if not os.path.isdir(folder):  # noqa: PTH112  Path.is_dir raises if a folder above cannot be entered
        return [f"{str(folder)!r} is not a folder: give one with a file KEY.pem for each public key"]
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
            # A guess could let one group's keys open content that another group protects.
            wrong.append(
                f"{len(named)} key groups are trusted, and {str(folder)!r} does not say which group has which keys: "
                f"put them into folders named by the groups' ids ({', '.join(named)})"
            )
    return wrong


def _load(folder: Path) -> tuple[dict[str, TrustedKey], list[str]]:
    """Return the keys in `folder` by their ids, and why others cannot be used."""
    keys, wrong = {}, []
    try:
        # Not `glob`: it returns nothing for a folder that cannot be read, without an error.
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".pem")
    except OSError as error:
        return {}, [f"the folder {str(folder)!r} cannot be read: {error.strerror}"]
    for path in paths:
        try:
            keys[path.stem] = TrustedKey(path.stem, path.stem, _public_key(path.read_bytes()))
        except (OSError, KeyLoadError) as error:
            wrong.append(f"{str(path)!r} is not a public key that CloudFront would accept: {error}")
    return keys, wrong


@lru_cache(maxsize=256)
def _public_key(pem: bytes) -> PublicKey:
    return PublicKey.load(pem)
