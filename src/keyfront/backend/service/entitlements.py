"""Who may download what, asked of wherever it is known: a database, DynamoDB, or a function of the user's own."""

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
"""The object's key; `True` when the item's name is the key itself; `False`: not theirs; `None`: no such item."""
Asking = Callable[[str | None, str], Verdict | Awaitable[Verdict]]

_FORM: Final = "module:function, such as shop.sales:may_download"


class Entitlements(Protocol):
    """Where the service learns what a customer may download. Its calls block."""

    anonymous: bool
    """Whether who is not signed in may be entitled to something."""
    object_keys: bool
    """Whether an item may have a name that is not an item id, such as an object's key."""

    def item(self, item_id: str) -> Item | None:
        """The item of that id, if it exists and everybody may know."""

    def entitlement(self, customer_id: str | None, item_id: str) -> tuple[Item | ObjectItem | None, bool]:
        """The item, if there is one, and whether the customer may download it. Raises `KeyfrontError`."""

    def check(self) -> None:
        """Return when it can answer; `ServiceError` otherwise."""


class EntitlementError(KeyfrontError):
    """The user's own function failed, or answered what it cannot mean. Nothing was let through."""


class Called:
    """A function of the user's own, `function(customer_id, item)`, sync or async (see `Verdict` for what it returns).

    `customer_id` is `None` for somebody who is not signed in, which happens only where the function has an attribute
    `anonymous` that is true. `wait` runs a coroutine to its end.
    """

    object_keys = True

    def __init__(self, function: Asking, wait: Callable[[Awaitable[Verdict]], Verdict]) -> None:
        self.anonymous = bool(getattr(function, "anonymous", False))
        self._function = function
        self._wait = wait
        self._name = f"{getattr(function, '__module__', '?')}:{getattr(function, '__qualname__', repr(function))}"

    def item(self, _: str) -> None:
        """Nothing: the function is asked about one customer at a time."""

    def entitlement(self, customer_id: str | None, item_id: str) -> tuple[ObjectItem | None, bool]:
        """What the function says; `EntitlementError` if it raises, or returns what is not a verdict."""
        if not is_object_key(item_id):
            return None, False
        try:
            said = self._function(customer_id, item_id)
            verdict = self._wait(said) if inspect.isawaitable(said) else said
        except Exception as error:  # noqa: BLE001  whatever it raises, nobody gets a link by it
            # Its traceback is the user's own code; its text may hold anything, and is not repeated.
            where = error.__traceback__
            while where is not None and where.tb_next is not None:
                where = where.tb_next
            place = f" at {where.tb_frame.f_code.co_filename}:{where.tb_lineno}" if where else ""
            raise EntitlementError(f"KEYFRONT_ENTITLEMENTS {self._name} raised {type(error).__name__}{place}") from None
        return self._item(item_id, verdict)

    def check(self) -> None:
        """Nothing: only a customer's question would show whether the function works."""

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
    """Whoever knows who may download what, as the settings say: SQL if they say nothing else. `wait` as in `Called`."""
    # Late: a function on Lambda starts without the time that the others take to load.
    if settings.entitlements is not None:
        return Called(load(settings.entitlements), wait)
    if settings.entitlements_table is not None:
        from keyfront.backend.service.dynamodb import DynamoTable

        return DynamoTable(settings.entitlements_table, seconds=settings.wait_seconds)
    from keyfront.backend.service.purchases import Purchases
    from keyfront.backend.service.tables import connect

    return Purchases(connect(settings.database_url, seconds=settings.wait_seconds))


def anybody(_: str | None, __: str) -> bool:
    """Everybody may download every object, by its key: `KEYFRONT_ENTITLEMENTS=keyfront.backend:anybody`.

    For a first look. A signed link is then no more than a slower public one.
    """
    return True


anybody.anonymous = True  # type: ignore[attr-defined]


def load(name: str) -> Asking:
    """The function that `KEYFRONT_ENTITLEMENTS` names, `module:function`. Raises `InputError`."""
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
    except Exception as error:  # noqa: BLE001  importing it runs code that is not ours
        raise InputError(
            f"KEYFRONT_ENTITLEMENTS names the module {module_name!r}, whose import raised {type(error).__name__}"
        ) from None
    for part in path.split("."):
        found = getattr(found, part, None)
    if not callable(found):
        raise InputError(f"KEYFRONT_ENTITLEMENTS is {name[:120]!r}, and {module_name} has no function {path!r}")
    if found is anybody:
        _log.warning("anybody may download everything that the signing key opens: KEYFRONT_ENTITLEMENTS says so")
    return found
