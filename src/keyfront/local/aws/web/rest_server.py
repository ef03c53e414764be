"""Answers requests to REST APIs, as API Gateway does.

Source: API Gateway Developer Guide, "Lambda proxy integrations in API Gateway" and "Gateway response types". A change
of an API counts at once here, and at Amazon with its next deployment.
"""

import asyncio
import json
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from keyfront.local.aws.responses import EndpointResponse
from keyfront.local.aws.web import function_events, routes
from keyfront.local.aws.web.function_events import EventSource
from keyfront.local.aws.web.function_results import ReplyError, message, reply
from keyfront.local.aws.web.invocation_policy import InvocationPolicy
from keyfront.local.aws.web.proxy import Proxy
from keyfront.local.aws.web.requests import WebRequest
from keyfront.local.aws.web.routes import Route
from keyfront.local.lambdas.function import BusyError, FunctionError
from keyfront.local.lambdas.function_runner import FunctionRunner

if TYPE_CHECKING:
    from keyfront.local.aws.web.saved_apis import Integration
    from keyfront.local.aws.web.saved_rest_apis import RestApi

_log = logging.getLogger(__name__)

_FORBIDDEN: Final = message(403, "Forbidden")
_NO_SUCH_METHOD: Final = message(403, "Missing Authentication Token")
_UNAUTHORIZED: Final = message(401, "Unauthorized")
_FAILED: Final = message(500, "Internal server error")
_BAD_RESULT: Final = message(502, "Internal server error")
_TOO_MANY: Final = message(429, "Too Many Requests")
_TIMED_OUT: Final = message(504, "Endpoint request timed out")


class RestServer:
    """Serves REST APIs, in the endpoint's event loop."""

    def __init__(self, functions: FunctionRunner, permissions: InvocationPolicy, proxy: Proxy) -> None:
        self._functions, self._permissions, self._proxy = functions, permissions, proxy

    async def answer(self, api: "RestApi", request: WebRequest) -> EndpointResponse:
        """Return the response of `api` to `request`. The path begins with the stage."""
        stage, _, rest = request.path[1:].partition("/")
        if stage not in api.stages:
            return _FORBIDDEN
        path = f"/{rest}"
        chosen = routes.choose(api.routes, request.method, path if rest == "" else path.removesuffix("/"))
        if chosen is None:
            return _NO_SUCH_METHOD
        route, parameters = chosen
        integration = api.integrations.get(route.integration)
        if integration is None:
            return _FAILED
        if refused := _refused(api, route):
            return refused
        if mock := api.mocks.get(route.integration):
            body = mock.body.encode()
            named = [("content-type", "application/json"), ("content-length", str(len(body))), *mock.headers]
            return EndpointResponse(mock.status, named, body)
        called = EventSource(api.account, api.id, stage, route.key, parameters, api.stages[stage])
        try:
            async with asyncio.timeout(integration.seconds):
                return await self._integrated(api, route, integration, replace(request, path=path), called)
        except TimeoutError:
            return _TIMED_OUT

    async def _integrated(
        self, api: "RestApi", route: Route, integration: "Integration", request: WebRequest, called: EventSource
    ) -> EndpointResponse:
        if integration.kind == "HTTP_PROXY":
            return await self._proxy.answer(integration.uri, integration.method, request, called.path_parameters)
        if integration.kind != "AWS_PROXY":
            _log.warning(
                "REST API %s, %s: integrations of type %s are not supported", api.id, route.key, integration.kind
            )
            return _FAILED
        source = f"arn:aws:execute-api:{api.region}:{api.account}:{api.id}/{called.stage}/"
        source += f"{request.method}{route.path}"
        event = function_events.of_rest_api(request, called, route.path)
        try:
            function = await self._functions.find(integration.function)
            if not self._permissions.may_integrate(await self._functions.policy(function), function, source):
                return _FAILED
            result = await self._functions.call(function, json.dumps(event).encode(), arn=integration.function)
            if result.failed:
                _log.warning("function %s failed: its log group %s has the reason", function.name, function.log_group)
                return _BAD_RESULT
            return reply(result.payload, "1.0")
        except BusyError:
            return _TOO_MANY
        except ReplyError as error:
            _log.warning("REST API %s, %s: the result is not a response: %s", api.id, route.key, error)
            return _BAD_RESULT
        except FunctionError as error:
            _log.warning("REST API %s, %s: %s", api.id, route.key, error)
            return _FAILED


def _refused(api: "RestApi", route: Route) -> EndpointResponse | None:
    """Return the refusal of a method whose authorization the laptop cannot check."""
    if route.authorization != "NONE":
        _log.warning(
            "REST API %s, %s: authorization %s is not supported, so the request is refused",
            api.id,
            route.key,
            route.authorization,
        )
        return _UNAUTHORIZED
    if route.integration in api.keyed:
        _log.warning("REST API %s, %s: API keys are not supported, so the request is refused", api.id, route.key)
        return _FORBIDDEN
    return None
