"""Reads REST APIs from moto, as plain values. Importing this module imports moto."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from moto.apigateway.models import APIGatewayBackend, Method, RestAPI, apigateway_backends
from moto.apigateway.models import Integration as SavedIntegration

from keyfront.local.aws.web.routes import Route
from keyfront.local.aws.web.saved_apis import Integration

_TEMPLATE: Final = re.compile(r"[#$]")


@dataclass(frozen=True)
class Mock:
    """The response of a MOCK integration."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: str


@dataclass(frozen=True)
class RestApi:
    """A REST API as it is now."""

    id: str
    account: str
    region: str
    stages: Mapping[str, Mapping[str, str]]
    """The variables of each stage, by its name."""
    routes: tuple[Route, ...]
    integrations: Mapping[str, Integration]
    mocks: Mapping[str, Mock] = field(default_factory=dict)
    keyed: frozenset[str] = frozenset()
    """The integrations of methods that need an API key."""


def rest_api(api_id: str) -> RestApi | None:
    """Return the REST API with this id, in any account and Region, or `None` if there is none that can be called."""
    for account, region, backend in apigateway_backends.iter_backends():
        assert isinstance(backend, APIGatewayBackend)
        api: RestAPI | None = backend.apis.get(api_id)
        if api is not None and str(api.disableExecuteApiEndpoint).lower() != "true":
            return _api(api, account, region)
    return None


def _api(api: RestAPI, account: str, region: str) -> RestApi:
    found = list(_methods(api))
    return RestApi(
        id=api.id,
        account=account,
        region=region,
        stages={name: dict(stage.variables or {}) for name, stage in api.stages.items()},
        routes=tuple(route for route, _ in found),
        integrations={
            route.integration: Integration(
                kind=held.integration_type,
                uri=held.uri or "",
                method=held.http_method or "ANY",
                version="1.0",
                seconds=int(held.timeout_in_millis or 29_000) / 1000,
            )
            for route, method in found
            if (held := method.method_integration) is not None
        },
        mocks={
            route.integration: mock
            for route, method in found
            if method.method_integration is not None and (mock := _mock(method.method_integration)) is not None
        },
        keyed=frozenset(route.integration for route, method in found if str(method.api_key_required).lower() == "true"),
    )


def _methods(api: RestAPI) -> Iterator[tuple[Route, Method]]:
    for resource in api.resources.values():
        for name, method in resource.resource_methods.items():
            key = f"{name} {resource.get_path()}"
            yield Route(key, key, method.authorization_type or "NONE", method.authorizer_id, ()), method


def _mock(integration: SavedIntegration) -> Mock | None:
    """Return a mock's response, or `None` if it is made by a template, which is not supported."""
    if integration.integration_type != "MOCK":
        return None
    wanted = _chosen((integration.request_templates or {}).get("application/json"))
    held = (integration.integration_responses or {}).get(wanted)
    if held is None:
        return None
    body = (held.response_templates or {}).get("application/json") or ""
    if _TEMPLATE.search(body):
        return None
    given: Mapping[str, Any] = held.response_parameters or {}
    prefix = "method.response.header."
    headers = ((name.removeprefix(prefix).lower(), str(value)) for name, value in given.items())
    texts = tuple((name, value[1:-1]) for name, value in headers if value[:1] == value[-1:] == "'")
    return Mock(int(wanted), texts, body)


def _chosen(template: str | None) -> str:
    """Return the status that a request template chooses."""
    try:
        return str(json.loads(template or "{}")["statusCode"])
    except (ValueError, KeyError, TypeError):
        return "200"
