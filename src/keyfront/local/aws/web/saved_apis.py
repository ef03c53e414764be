"""Reads HTTP APIs and function URLs from moto, as plain values. Importing this module imports moto."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from moto.apigatewayv2.models import Api, ApiGatewayV2Backend, apigatewayv2_backends
from moto.awslambda.models import LambdaBackend, lambda_backends

from keyfront.local.aws.web.cors import Cors
from keyfront.local.aws.web.jwt_authorizers import Authorizer
from keyfront.local.aws.web.routes import Route
from keyfront.local.lambdas.function import Function
from keyfront.local.lambdas.saved_functions import as_value


@dataclass(frozen=True)
class Integration:
    """The target of a route."""

    kind: str
    uri: str
    method: str
    version: str
    seconds: float

    @property
    def function(self) -> str:
        """The ARN of its function. API Gateway's own address is `….:lambda:path/…/functions/ARN/invocations`."""
        if "/functions/" not in self.uri:
            return self.uri
        return self.uri.partition("/functions/")[2].removesuffix("/invocations")


@dataclass(frozen=True)
class HttpApi:
    """An HTTP API as it is now."""

    id: str
    account: str
    region: str
    routes: tuple[Route, ...]
    integrations: Mapping[str, Integration]
    authorizers: Mapping[str, Authorizer]
    stages: Mapping[str, Mapping[str, str]]
    """The variables of each stage, by its name."""
    cors: Cors | None


@dataclass(frozen=True)
class FunctionUrl:
    """A function URL."""

    id: str
    function: Function
    auth: str
    cors: Cors | None


def http_api(api_id: str) -> HttpApi | None:
    """Return the HTTP API with this id, in any account and Region, or `None` if there is none that can be called."""
    for account, region, backend in apigatewayv2_backends.iter_backends():
        assert isinstance(backend, ApiGatewayV2Backend)
        api = backend.apis.get(api_id)
        if api is not None and api.protocol_type == "HTTP" and not api.disable_execute_api_endpoint:
            return _api(api, account, region)
    return None


def function_url(url_id: str) -> FunctionUrl | None:
    """Return the function URL with this id, or `None`. Raises `FunctionError` if its function cannot run."""
    for _, _, backend in lambda_backends.iter_backends():
        assert isinstance(backend, LambdaBackend)
        for function in backend.list_functions():
            config = function.url_config
            if config is not None and config.url.partition("//")[2].partition(".")[0] == url_id:
                cors = config.config.get("Cors")
                auth = config.config.get("AuthType") or "NONE"
                return FunctionUrl(url_id, as_value(function), auth, Cors.of(cors) if cors else None)
    return None


def _api(api: Api, account: str, region: str) -> HttpApi:
    return HttpApi(
        id=api.api_id,
        account=account,
        region=region,
        routes=tuple(
            Route(
                route.route_key,
                (route.target or "").removeprefix("integrations/"),
                route.authorization_type or "NONE",
                route.authorizer_id,
                tuple(route.authorization_scopes or ()),
            )
            for route in api.routes.values()
        ),
        integrations={
            each.id: Integration(
                each.integration_type,
                each.integration_uri,
                each.integration_method,
                each.payload_format_version or "1.0",
                (each.timeout_in_millis or 30000) / 1000,
            )
            for each in api.integrations.values()
        },
        authorizers={
            each.id: _authorizer(each.jwt_config, each.identity_source)
            for each in api.authorizers.values()
            if each.authorizer_type == "JWT"
        },
        stages={stage.name: dict(stage.stage_variables or {}) for stage in api.stages.values()},
        cors=Cors.of(_mapping(api.cors_configuration)) if api.cors_configuration else None,
    )


def _authorizer(configuration: Any, sources: Any) -> Authorizer:
    given = {name[:1].lower() + name[1:]: value for name, value in _mapping(configuration).items()}
    return Authorizer(str(given.get("issuer")), tuple(given.get("audience") or ()), tuple(sources or ()))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
