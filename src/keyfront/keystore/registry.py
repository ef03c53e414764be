"""Which kinds of key store there are: one line each, found by the prefix of an address.

A package of somebody else's adds a kind with an entry point of the group `keyfront.keystores`, whose name is the prefix
and whose value is the class.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from operator import attrgetter
from typing import TYPE_CHECKING, Final, cast

from keyfront.errors import InputError

if TYPE_CHECKING:
    from keyfront.keystore.source import Kind

GROUP: Final = "keyfront.keystores"


@dataclass(frozen=True, slots=True)
class Entry:
    """A kind by its prefix. Its module is imported when an address first names it."""

    prefix: str
    example: str
    """What an address of that kind has after the prefix."""
    target: str
    """`MODULE:CLASS`."""

    def load(self) -> "Kind":
        """The kind's class. Raises `InputError` if the package that brings it does not work."""
        module, _, name = self.target.partition(":")
        try:
            return cast("Kind", attrgetter(name)(import_module(module)))
        except (ImportError, AttributeError) as error:
            raise InputError(
                f"{self.prefix}: addresses are read by {self.target}, which cannot be loaded ({error}): "
                "install or repair the package that brings it"
            ) from None

    def __str__(self) -> str:
        return f"{self.prefix}:{self.example}"


KINDS: Final[Mapping[str, Entry]] = {
    entry.prefix: entry
    for entry in (
        Entry("file", "signer.json", "keyfront.keystore.file:KeyFile"),
        Entry("env", "SIGNING_KEY", "keyfront.keystore.env:EnvironmentVariable"),
        Entry("ssm", "/shop/signing-key", "keyfront.keystore.ssm:SSMParameter"),
        Entry("secretsmanager", "shop/signing-key", "keyfront.keystore.secretsmanager:Secret"),
        Entry("kms", "alias/shop", "keyfront.keystore.kms:BareKMSKey"),
    )
}
"""Our own kinds. No package can replace one of them."""


def find(prefix: str) -> Entry | None:
    """The kind with that prefix, ours or an installed package's. Raises `InputError` if two packages bring it."""
    return KINDS.get(prefix) or _installed(prefix)


def _installed(prefix: str) -> Entry | None:
    # Late: it reads the metadata of every installed package, which our own kinds must not wait for.
    from importlib.metadata import entry_points

    targets = sorted({each.value for each in entry_points(group=GROUP, name=prefix)})
    if len(targets) > 1:
        raise InputError(f"{prefix}: addresses are read by {' and by '.join(targets)}: uninstall all but one of them")
    return Entry(prefix, "NAME", targets[0]) if targets else None
