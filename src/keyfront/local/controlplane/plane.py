"""The CloudFront API of one account: from an HTTP request to an HTTP response."""

import logging
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from keyfront.errors import KeyfrontError
from keyfront.local.controlplane import (
    associations,
    cache_policies,
    continuous_deployment,
    distribution_lookups,
    distributions,
    empty_lists,
    field_level_encryption,
    function_tests,
    functions,
    invalidations,
    key_groups,
    key_value_pairs,
    key_value_stores,
    monitoring,
    origin_access_controls,
    origin_access_identities,
    origin_request_policies,
    public_keys,
    realtime_log_configs,
    response_headers_policies,
    staging,
    tags,
    vpc_origins,
)
from keyfront.local.controlplane.account import (
    FunctionTest,
    FunctionTestResult,
    LocalAccount,
    Operation,
    check_version_given,
)
from keyfront.local.controlplane.faults import APIError
from keyfront.local.controlplane.journal import Journal
from keyfront.local.controlplane.model import service_model
from keyfront.local.controlplane.propagation import Propagation
from keyfront.local.controlplane.quotas import Quotas
from keyfront.local.controlplane.reading import read
from keyfront.local.controlplane.routing import route
from keyfront.local.controlplane.store import Store, Table
from keyfront.local.controlplane.validation import validate
from keyfront.local.controlplane.writing import APIResponse, write, write_error

if TYPE_CHECKING:
    from botocore.model import OperationModel

_LOG = logging.getLogger(__name__)

OPERATIONS: Mapping[str, Operation] = {
    **public_keys.OPERATIONS,
    **key_groups.OPERATIONS,
    **distributions.OPERATIONS,
    **origin_access_identities.OPERATIONS,
    **origin_access_controls.OPERATIONS,
    **distribution_lookups.OPERATIONS,
    **cache_policies.OPERATIONS,
    **origin_request_policies.OPERATIONS,
    **response_headers_policies.OPERATIONS,
    **functions.OPERATIONS,
    **function_tests.OPERATIONS,
    **key_value_stores.OPERATIONS,
    **monitoring.OPERATIONS,
    **realtime_log_configs.OPERATIONS,
    **continuous_deployment.OPERATIONS,
    **staging.OPERATIONS,
    **associations.OPERATIONS,
    **field_level_encryption.OPERATIONS,
    **vpc_origins.OPERATIONS,
    **empty_lists.OPERATIONS,
    **tags.OPERATIONS,
    **invalidations.OPERATIONS,
}
"""The implemented operations, by their names in the service model."""

BODY_BYTES = 4 * 1024 * 1024
"""The maximum size of a body. The largest distribution within the quotas needs a tenth of it."""


class ControlPlane:
    """CloudFront's API for an account in memory. It does not check signatures and permissions.

    `account` is the account number in ARNs. `domain_name` returns a distribution's domain name for its id. `clock`
    returns the current time as an aware datetime. With a `journal` the account starts from the journal, and every
    change is written before its response. `run_function`, `read_object` and `lambda_refusal`: see `LocalAccount`.
    `on_change` is called after each change. Raises `JournalError` if the journal cannot be read. Thread-safe.
    """

    def __init__(
        self,
        *,
        account: str = "123456789012",
        quotas: Quotas | None = None,
        domain_name: Callable[[str], str] = lambda identifier: f"{identifier.lower()}.cloudfront.net",
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        journal: Journal | None = None,
        run_function: Callable[[FunctionTest], FunctionTestResult] | None = None,
        read_object: Callable[[str, str], bytes] | None = None,
        lambda_refusal: Callable[[str], str] | None = None,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self.propagation = Propagation()
        self._account = LocalAccount(
            account,
            Store(journal, [self.propagation], on_change),
            quotas or Quotas(),
            self.propagation,
            domain_name,
            clock,
            run_function,
            read_object,
            lambda_refusal,
        )

    def handle(self, method: str, raw_path: str, query: str, headers: Mapping[str, str], body: bytes) -> APIResponse:
        """Return the response to a request. Never raises.

        `raw_path` is percent-encoded, as sent. `query` is without the question mark.
        """
        request_id = str(uuid.uuid4())
        try:
            return self._answer(method, raw_path, query, headers, body, request_id)
        except APIError as error:
            return write_error(error, request_id)
        except KeyfrontError as error:
            # The journal logs the first failure itself.
            _LOG.debug("%s %s: %s", method, raw_path, error)
            return write_error(APIError("InternalError", f"{error}."), request_id)
        except Exception:  # noqa: BLE001  the caller gets a response even if keyfront has a bug
            _LOG.exception("%s %s failed (request %s)", method, raw_path, request_id)
            message = f"keyfront failed on this request: see its log for request {request_id}."
            return write_error(APIError("InternalError", message), request_id)

    @property
    def account_number(self) -> str:
        """The account number, 12 digits."""
        return self._account.number

    def perform(self, operation: str, given: Mapping[str, Any]) -> Mapping[str, object]:
        """Do an operation of `OPERATIONS` as for a client, and return its output.

        Raises `APIError` if it is refused, `JournalError` if it cannot be saved.
        """
        _check(service_model().operation_model(operation), given)
        with self._account.store.transaction():
            return OPERATIONS[operation](self._account, given)

    def tagged(self) -> list[tags.Tagged]:
        """Return the resources that can have tags, with their tags."""
        with self._account.store.transaction():
            return tags.everything(self._account)

    def reset(self) -> None:
        """Remove every resource of the account. The edges stay registered."""
        store = self._account.store
        with store.transaction():
            for table in [table for table in vars(store).values() if isinstance(table, Table)]:
                for resource in table:
                    table.remove(resource.id)
                    self.propagation.removed(resource.id)

    def redeploy(self) -> None:
        """Send every distribution to the registered edges, as after a start. Each is deployed once they have it."""
        with self._account.store.transaction():
            for distribution in self._account.store.distributions:
                self.propagation.changed(distribution.id, distribution.etag)

    def _answer(
        self, method: str, raw_path: str, query: str, headers: Mapping[str, str], body: bytes, request_id: str
    ) -> APIResponse:
        if raw_path.startswith(key_value_pairs.PATH):
            return key_value_pairs.handle(self._account, method, raw_path, query, headers, body)
        if len(body) > BODY_BYTES:
            raise APIError("RequestEntityTooLarge", f"The body is larger than the maximum of {BODY_BYTES} bytes.")
        target = route(method, raw_path, query)
        operation = OPERATIONS.get(target.operation.name)
        if operation is None:
            raise APIError("NotImplemented", f"keyfront does not implement {target.operation.name} yet.")
        given = read(target, {name.lower(): value for name, value in headers.items()}, body)
        _check(target.operation, given)
        with self._account.store.transaction():
            output = operation(self._account, given)
            return write(target.operation, output, request_id)


def _check(operation: "OperationModel", given: Mapping[str, Any]) -> None:
    if operation.input_shape is not None:
        check_version_given(operation.input_shape, given)
        validate(operation.input_shape, given)
