"""Extends moto's Athena: workgroups can be changed, saved queries can be deleted, and what is missing is an error.

Source: Athena API Reference, "UpdateWorkGroup", "DeleteWorkGroup", "DeleteNamedQuery".
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from moto.athena.models import AthenaBackend, WorkGroup
from moto.athena.responses import AthenaResponse
from moto.core.exceptions import JsonRESTError

_get_named_query: Final = AthenaResponse.get_named_query
_UPDATES: Final = "Updates"
_REMOVE: Final = "Remove"
_PRIMARY: Final = "primary"


def install() -> None:
    """Extend moto. Stacks and Terraform could otherwise not delete a saved query, or change a workgroup."""
    AthenaResponse.get_work_group = get_work_group  # type: ignore[method-assign]
    AthenaResponse.update_work_group = update_work_group  # type: ignore[attr-defined]
    AthenaResponse.delete_work_group = delete_work_group  # type: ignore[method-assign]
    AthenaResponse.get_named_query = get_named_query  # type: ignore[method-assign]
    AthenaResponse.delete_named_query = delete_named_query  # type: ignore[attr-defined]


def get_work_group(self: AthenaResponse) -> Any:
    """GetWorkGroup."""
    return json.dumps({"WorkGroup": self.athena_backend.get_work_group(_group(self).name)})


def update_work_group(self: AthenaResponse) -> Any:
    """UpdateWorkGroup."""
    group = _group(self)
    state = self._get_param("State")
    if state is not None:
        group.state = state
    if (description := self._get_param("Description")) is not None:
        group.description = description
    group.configuration = _changed(group.configuration, self._get_param("ConfigurationUpdates") or {})
    return "{}"


def delete_work_group(self: AthenaResponse) -> Any:
    """DeleteWorkGroup. One with saved queries is deleted only with `RecursiveDeleteOption`."""
    group, backend = _group(self), self.athena_backend
    if group.name == _PRIMARY:
        raise _refused("The primary WorkGroup cannot be deleted.")
    saved = [query_id for query_id, query in backend.named_queries.items() if query.workgroup is group]
    if saved and not self._get_param("RecursiveDeleteOption"):
        raise _refused(f"WorkGroup {group.name} is not empty")
    for query_id in saved:
        del backend.named_queries[query_id]
    backend.delete_work_group(group.name)
    return "{}"


def get_named_query(self: AthenaResponse) -> Any:
    """GetNamedQuery."""
    _query_id(self)
    return _get_named_query(self)


def delete_named_query(self: AthenaResponse) -> Any:
    """DeleteNamedQuery."""
    del self.athena_backend.named_queries[_query_id(self)]
    return "{}"


def _changed(configuration: Mapping[str, Any], updates: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration with its updates. `RemoveX` deletes `X`, and `XUpdates` changes the members of `X`."""
    found = dict(configuration)
    for name, value in updates.items():
        if name.startswith(_REMOVE):
            if value:
                found.pop(name.removeprefix(_REMOVE), None)
        elif name.endswith(_UPDATES):
            plain = name.removesuffix(_UPDATES)
            found[plain] = _changed(found.get(plain) or {}, value)
        else:
            found[name] = value
    return found


def _group(response: AthenaResponse) -> WorkGroup:
    name, backend = response._get_param("WorkGroup"), response.athena_backend
    if name not in backend.work_groups:
        raise _refused(f"WorkGroup {name} is not found.")
    group: WorkGroup = backend.work_groups[name]
    return group


def _query_id(response: AthenaResponse) -> str:
    query_id, backend = response._get_param("NamedQueryId"), response.athena_backend
    assert isinstance(backend, AthenaBackend)
    if query_id not in backend.named_queries:
        raise _refused(f"NamedQuery {query_id} was not found")
    return str(query_id)


def _refused(message: str) -> JsonRESTError:
    return JsonRESTError("InvalidRequestException", message)
