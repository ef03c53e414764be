"""Purchases in one DynamoDB table: one entry for each item, and one for each customer who may download it.

| `pk` | `sk` | meaning |
| --- | --- | --- |
| `ITEM#lamps` | `ITEM` | the item: `title`, `key` (the object's key), and the other fields of `Item` |
| `CUSTOMER#mara` | `ITEM#lamps` | Mara may download it, until `expires_at` (epoch seconds) if that is set |

One consistent request reads both, so an item can be downloaded at once after it was bought. A customer's library is one
query.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, cast

from keyfront.backend.service.threads import MOST
from keyfront.backend.service.values import Item, is_item_id
from keyfront.errors import InputError, ServiceError
from keyfront.home import install
from keyfront.keystore.services import bounds

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

_log = logging.getLogger(__name__)

_TEXTS: Final = ("title", "key", "kind", "author", "description", "currency")
_NUMBERS: Final = ("size", "price_cents")
_ACTIONS: Final = "allow the role dynamodb:BatchGetItem on the table"

_Entry = Mapping[str, "AttributeValueTypeDef"]


class DynamoTable:
    """The entitlements in the DynamoDB table `table` (a name or ARN). Its client is made at the first request.

    If DynamoDB does not answer, it is asked twice within `seconds`.
    """

    anonymous = False
    object_keys = False

    def __init__(
        self,
        table: str,
        client: "DynamoDBClient | None" = None,
        *,
        seconds: float = 5.0,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._table = table
        self._made = client
        self._making = threading.Lock()
        self._seconds = seconds
        self._now = now

    def item(self, item_id: str) -> Item | None:
        """Return the item with this id, or `None`."""
        return _item(item_id, self._read(_item_key(item_id)).get("ITEM")) if is_item_id(item_id) else None

    def entitlement(self, customer_id: str | None, item_id: str) -> tuple[Item | None, bool]:
        """Return the item, if it exists, and whether the customer may download it now."""
        if customer_id is None or not is_item_id(item_id):
            return self.item(item_id), False
        found = self._read(_item_key(item_id), {"pk": {"S": f"CUSTOMER#{customer_id}"}, "sk": {"S": f"ITEM#{item_id}"}})
        owned = found.get(f"ITEM#{item_id}")
        # DynamoDB removes expired entries with a delay.
        return _item(item_id, found.get("ITEM")), owned is not None and self._lasts(owned)

    def check(self) -> None:
        """Check that the table can be read. Raises `ServiceError` otherwise."""
        self._read(_item_key("0"))

    def _lasts(self, owned: _Entry) -> bool:
        if "expires_at" not in owned:
            return True
        try:
            return float(owned["expires_at"]["N"]) > self._now()
        except (KeyError, ValueError):
            _log.error("%s: an entry's expires_at is not a number; the entry counts as expired", self._table)
            return False

    def _read(self, *keys: _Entry) -> dict[str, _Entry]:
        """Return the entries for those `keys` that exist, by their `sk`."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer = self._client().batch_get_item(
                RequestItems={self._table: {"Keys": [dict(key) for key in keys], "ConsistentRead": True}}
            )
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "Unknown")
            advice = _ACTIONS if "AccessDenied" in code else "check ENTITLEMENTS_TABLE and the region"
            raise ServiceError(f"the DynamoDB table {self._table} could not be read: {code}: {advice}") from None
        except BotoCoreError as error:
            raise ServiceError(f"the DynamoDB table {self._table} could not be read: {error}") from None
        if answer.get("UnprocessedKeys"):
            raise ServiceError(f"the DynamoDB table {self._table} is over its capacity: raise it, or try again later")
        entries = [entry for found in answer["Responses"].values() for entry in found]
        return {entry["sk"]["S"]: entry for entry in entries}

    def _client(self) -> "DynamoDBClient":
        with self._making:
            if self._made is None:
                self._made = _new_client(self._seconds)
            return self._made


def _new_client(seconds: float) -> "DynamoDBClient":
    # botocore, not boto3: Lambda has it, and it loads in half the time.
    try:
        import botocore.session
        from botocore.config import Config
    except ModuleNotFoundError:
        raise InputError(f"ENTITLEMENTS_TABLE needs botocore: {install('aws')}") from None

    config = Config(**bounds(seconds), max_pool_connections=MOST)
    return cast("DynamoDBClient", botocore.session.get_session().create_client("dynamodb", config=config))


def _item_key(item_id: str) -> _Entry:
    return {"pk": {"S": f"ITEM#{item_id}"}, "sk": {"S": "ITEM"}}


def _item(item_id: str, entry: _Entry | None) -> Item | None:
    if entry is None:
        return None
    texts = {name: entry[name]["S"] for name in _TEXTS if "S" in entry.get(name, {})}
    numbers = {name: int(entry[name]["N"]) for name in _NUMBERS if entry.get(name, {}).get("N", "").isdecimal()}
    try:
        return Item(item_id, texts.pop("title", item_id), texts.pop("key", ""), **texts, **numbers)  # type: ignore[arg-type]
    except InputError as error:
        raise ServiceError(f"the DynamoDB entry of an item is not valid: {error}") from None
