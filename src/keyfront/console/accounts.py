"""The account behind the pages: one that is reached through the CloudFront API, or one that was saved in files."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from keyfront.account.api_errors import clear_errors
from keyfront.account.audit import Evidence, NotChecked, Settings, read_account, saved_account
from keyfront.account.distributions import distributions_page, listed_distributions
from keyfront.account.key_groups import UploadedKey, key_groups, keys_page
from keyfront.account.trusted_groups import Config, read_config
from keyfront.errors import InputError, RefusedError, ServiceError
from keyfront.inventory import Distribution, Inventory, KeyGroup, read

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

Connect = Callable[[str], Any]
"""Returns a boto3 client of a service."""


class Account(Protocol):
    """What the pages read. Methods raise `RefusedError` and `ServiceError`, and block."""

    name: str
    """What the account is called on the pages, such as an endpoint's URL or a profile."""

    def keys_page(self, marker: str) -> tuple[list[UploadedKey], str]:
        """Return a page of public keys, and the marker of the next."""

    def groups(self) -> list[KeyGroup]:
        """Return all key groups, sorted by name."""

    def distributions_page(self, marker: str) -> tuple[list[Distribution], str]:
        """Return a page of distributions, and the marker of the next."""

    def distributions(self) -> list[Distribution]:
        """Return all distributions, as their listing has them."""

    def distribution(self, distribution_id: str) -> Distribution:
        """Return one distribution, whole. Raises `InputError` if there is none with this id."""

    def config(self, distribution_id: str) -> tuple[str, Config]:
        """Return a distribution's ETag and configuration as the API has it."""

    def inventory(self) -> Inventory:
        """Return the whole account."""

    def evidence(self) -> tuple[Evidence, list[NotChecked]]:
        """Return what an audit judges, and what could not be read."""

    def client(self) -> "AbstractContextManager[CloudFrontClient]":
        """Give the client with which the account is changed. Raises `RefusedError` if it cannot be changed."""

    def connect(self, service: str) -> Any:
        """Return a client of another service. Raises `RefusedError` if there is no account."""


class LiveAccount:
    """An account behind the CloudFront API."""

    def __init__(self, name: str, cloudfront: Callable[[], "CloudFrontClient"], connect: Connect) -> None:
        """`cloudfront` makes the client of CloudFront when it is first needed, `connect` those of other services."""
        self.name = name
        self._open = cloudfront
        self._client: CloudFrontClient | None = None
        self.connect = connect
        self._inventory = Inventory()

    @contextmanager
    def client(self) -> "Iterator[CloudFrontClient]":
        with clear_errors():
            # Two threads may both make one: the last one stays.
            self._client = client = self._client or self._open()
            yield client

    def keys_page(self, marker: str) -> tuple[list[UploadedKey], str]:
        with self.client() as client:
            return keys_page(client, marker)

    def groups(self) -> list[KeyGroup]:
        with self.client() as client:
            return [KeyGroup(each.id, each.name, each.keys) for each in key_groups(client)]

    def distributions_page(self, marker: str) -> tuple[list[Distribution], str]:
        with self.client() as client:
            return distributions_page(client, marker)

    def distributions(self) -> list[Distribution]:
        with self.client() as client:
            return list(listed_distributions(client))

    def distribution(self, distribution_id: str) -> Distribution:
        from keyfront.inventory import parse_distribution

        with self.client() as client:
            return parse_distribution(client.get_distribution(Id=distribution_id))

    def config(self, distribution_id: str) -> tuple[str, Config]:
        with self.client() as client:
            return read_config(client, distribution_id)

    def inventory(self) -> Inventory:
        with self.client() as client:
            try:
                # Kept, so that the next reading fetches only what changed.
                self._inventory = read(client, self._inventory)
            except ServiceError as error:
                raise error.__cause__ or error from None
            return self._inventory

    def evidence(self) -> tuple[Evidence, list[NotChecked]]:
        with self.client() as client:
            return read_account(client, self.connect, Settings(datetime.now(UTC)))


class SavedAccount:
    """An account in files, as the AWS CLI prints it. It cannot be changed."""

    def __init__(self, name: str, load: Callable[[], Inventory]) -> None:
        """`load` reads the files again. It raises `InputError`."""
        self.name = name
        self._load = load

    def client(self) -> "AbstractContextManager[CloudFrontClient]":
        raise RefusedError(f"{self.name} is a saved configuration, which cannot be changed: open the account instead")

    def connect(self, service: str) -> Any:
        raise RefusedError(f"{self.name} is a saved configuration, without {service}: open the account instead")

    def keys_page(self, marker: str) -> tuple[list[UploadedKey], str]:  # noqa: ARG002  files have no pages
        keys = [
            UploadedKey(each.id, each.name, "", each.created, str(each.key.algorithm), each.key.fingerprint)
            for each in self._load().keys.values()
        ]
        return keys, ""

    def groups(self) -> list[KeyGroup]:
        return sorted(self._load().key_groups.values(), key=lambda each: each.name)

    def distributions_page(self, marker: str) -> tuple[list[Distribution], str]:  # noqa: ARG002
        return self.distributions(), ""

    def distributions(self) -> list[Distribution]:
        return list(self._load().distributions)

    def distribution(self, distribution_id: str) -> Distribution:
        found = {each.id: each for each in self._load().distributions}
        if distribution_id not in found:
            raise InputError(f"there is no distribution {distribution_id!r}: the files have {', '.join(found)}")
        return found[distribution_id]

    def config(self, distribution_id: str) -> tuple[str, Config]:
        with self.client() as client:
            return read_config(client, distribution_id)

    def inventory(self) -> Inventory:
        return self._load()

    def evidence(self) -> tuple[Evidence, list[NotChecked]]:
        needs = "an account instead of files"
        notes = [NotChecked(each, needs) for each in ("buckets", "parameters, secrets and KMS keys", "ages of keys")]
        return saved_account(self._load(), Settings(datetime.now(UTC))), notes
