"""The kinds of key store: one line for each, found by the prefix of an address.

Another package adds a kind with an entry point of the group `keyfront.keystores`. The entry point's name is the prefix
and its value is the class.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Final

from keyfront.errors import InputError

if TYPE_CHECKING:
    from keyfront.keystore.source import Kind

GROUP: Final = "keyfront.keystores"


@dataclass(frozen=True, slots=True)
class Entry:
    """A kind by its prefix. Its module is imported when an address first names it."""

    prefix: str
    example: str
    """An example of the part after the prefix."""
    find_class: "Callable[[], Kind]"

    def load(self) -> "Kind":
        """Return the kind's class. Raises `InputError` if the package that provides it does not work."""
        try:
            return self.find_class()
        except (ImportError, AttributeError) as error:
            raise InputError(
                f"{self.prefix}: addresses cannot be opened ({error}): install or repair the package that opens them"
            ) from None

    def __str__(self) -> str:
        return f"{self.prefix}:{self.example}"


def _module(name: str) -> ModuleType:
    return import_module(f"keyfront.keystore.{name}")


KINDS: Final[Mapping[str, Entry]] = {
    entry.prefix: entry
    for entry in (
        Entry("file", "signer.json", lambda: _module("file").KeyFile),
        Entry("env", "SIGNING_KEY", lambda: _module("env").EnvironmentVariable),
        Entry("ssm", "/shop/signing-key", lambda: _module("ssm").SSMParameter),
        Entry("secretsmanager", "shop/signing-key", lambda: _module("secretsmanager").Secret),
        Entry("kms", "alias/shop", lambda: _module("kms").BareKMSKey),
    )
}
"""keyfront's own kinds. No package can replace them."""


def find(prefix: str) -> Entry | None:
    """Return keyfront's or an installed package's kind with this prefix.

    Raises `InputError` if two packages provide it.
    """
    return KINDS.get(prefix) or _installed(prefix)


def _installed(prefix: str) -> Entry | None:
    # Imported late: it reads the metadata of every installed package, and keyfront's own kinds must not wait for that.
    from importlib.metadata import entry_points

    found = {each.value: each for each in entry_points(group=GROUP, name=prefix)}
    if len(found) > 1:
        brought = " and by ".join(sorted(found))
        raise InputError(f"{prefix}: addresses are opened by {brought}: uninstall all but one of them")
    return next((Entry(prefix, "NAME", each.load) for each in found.values()), None)
