"""Entitlements (who may download what), from a database, DynamoDB or the user's own function."""

import inspect
import logging
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import TYPE_CHECKING, Final, Protocol

from keyfront.backend.service.values import Item, ObjectItem, is_object_key
from keyfront.errors import InputError, KeyfrontError

if TYPE_CHECKING:
    from keyfront.backend.service.settings import Settings

_log = logging.getLogger(__name__)

Verdict = str | bool | None
"""The object's key; `True`: the item's name is the key; `False`: not bought; `None`: no such item."""
Asking = Callable[[str | None, str], Verdict | Awaitable[Verdict]]

_FORM: Final = "module:function, such as shop.sales:may_download"


class Entitlements(Protocol):
    """A source of entitlements. Its calls block."""

    anonymous: bool
    """Whether people who are not signed in may be entitled to something."""
    object_keys: bool
    """Whether an item may have a name that is not an item id, such as an object's key."""

    def item(self, item_id: str) -> Item | None:
        """Return the item with this id, if it exists and is public knowledge."""

    def entitlement(self, customer_id: str | None, item_id: str) -> tuple[Item | ObjectItem | None, bool]:
        """Return the item, if it exists, and whether the customer may download it. Raises `KeyfrontError`."""

    def check(self) -> None:
        """Check that the source answers. Raises `ServiceError` otherwise."""


class EntitlementError(KeyfrontError):
    """The user's own function raised an exception or returned an invalid value. The download was refused."""


class Called:
    """The user's own `function(customer_id, item)`, sync or async, which returns a `Verdict`.

    `customer_id` is `None` for people who are not signed in. The function is called for them only if it has an
    attribute `anonymous` that is true. `wait` runs a coroutine to its end.
    """

    object_keys = True

    def __init__(self, function: Asking, wait: Callable[[Awaitable[Verdict]], Verdict]) -> None:
        self.anonymous = bool(getattr(function, "anonymous", False))
        self._function = function
        self._wait = wait
        self._name = f"{getattr(function, '__module__', '?')}:{getattr(function, '__qualname__', repr(function))}"

    def item(self, _: str) -> None:
        """Return `None`: the function answers only for a customer."""

    def entitlement(self, customer_id: str | None, item_id: str) -> tuple[ObjectItem | None, bool]:
        """Return the function's verdict. Raises `EntitlementError` if it raises, or if the verdict is not valid."""
        if not is_object_key(item_id):
            return None, False
        try:
            said = self._function(customer_id, item_id)
            verdict = self._wait(said) if inspect.isawaitable(said) else said
        except Exception as error:  # noqa: BLE001  no exception may lead to a link
            # The error's text may contain anything, so it is not repeated. The place in the user's code is.
            where = error.__traceback__
            while where is not None and where.tb_next is not None:
                where = where.tb_next
            place = f" at {where.tb_frame.f_code.co_filename}:{where.tb_lineno}" if where else ""
            raise EntitlementError(f"KEYFRONT_ENTITLEMENTS {self._name} raised {type(error).__name__}{place}") from None
        return self._item(item_id, verdict)

    def check(self) -> None:
        """Do nothing: only a customer's request would show whether the function works."""

    def _item(self, item_id: str, verdict: object) -> tuple[ObjectItem | None, bool]:
        if verdict is None:
            return None, False
        if verdict is True or verdict is False:
            return ObjectItem(item_id, item_id), verdict
        if isinstance(verdict, str) and is_object_key(verdict):
            return ObjectItem(item_id, verdict), True
        shown = "a text that is not an object's key" if isinstance(verdict, str) else type(verdict).__name__
        raise EntitlementError(
            f"KEYFRONT_ENTITLEMENTS {self._name} returned {shown}: return the object's key, True, False or None"
        )


def open_entitlements(settings: "Settings", wait: Callable[[Awaitable[Verdict]], Verdict]) -> Entitlements:
    """Return the entitlements that the settings choose; SQL if they choose none. `wait` as in `Called`."""
    # Imported late, so that a function on Lambda starts without the time that the others take to load.
    if settings.entitlements is not None:
        return Called(load(settings.entitlements), wait)
    if settings.entitlements_table is not None:
        from keyfront.backend.service.dynamodb import DynamoTable

        return DynamoTable(settings.entitlements_table, seconds=settings.wait_seconds)
    from keyfront.backend.service.purchases import Purchases
    from keyfront.backend.service.tables import connect

    return Purchases(connect(settings.database_url, seconds=settings.wait_seconds))


def anybody(_: str | None, __: str) -> bool:
    """Return `True`: everyone may download every object, by its key.

    For a first try only: `KEYFRONT_ENTITLEMENTS=keyfront.backend:anybody`. A signed link then protects nothing.
    """
    return True


anybody.anonymous = True  # type: ignore[attr-defined]


def load(name: str) -> Asking:
    """Return the function that `KEYFRONT_ENTITLEMENTS` names, `module:function`. Raises `InputError`."""
    module_name, _, path = name.partition(":")
    if not module_name or not path:
        raise InputError(f"KEYFRONT_ENTITLEMENTS is {name[:120]!r}: give {_FORM}")
    try:
        found: object = import_module(module_name)
    except ModuleNotFoundError as error:
        missing = "" if error.name == module_name else f", because {error.name} is missing"
        raise InputError(
            f"KEYFRONT_ENTITLEMENTS names the module {module_name!r}, which cannot be imported{missing}: "
            "put it into the package (keyfront lambda package --include FILE)"
        ) from None
    except Exception as error:  # noqa: BLE001  the import runs the user's code
        raise InputError(
            f"KEYFRONT_ENTITLEMENTS names the module {module_name!r}, whose import raised {type(error).__name__}"
        ) from None
    for part in path.split("."):
        found = getattr(found, part, None)
    if not callable(found):
        raise InputError(f"KEYFRONT_ENTITLEMENTS is {name[:120]!r}, but {module_name} has no function {path!r}")
    if found is anybody:
        _log.warning("KEYFRONT_ENTITLEMENTS is %s: anyone may download everything that the signing key opens", name)
    return found
