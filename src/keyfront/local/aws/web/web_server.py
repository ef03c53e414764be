"""Answers requests to HTTP APIs and function URLs, and passes those to REST APIs on."""

import asyncio
import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from keyfront.core.api_hosts import APIHost
from keyfront.edge.origin.endpoint_headers import SOURCE_HOST
from keyfront.local.aws.responses import EndpointResponse
from keyfront.local.aws.web import function_events, routes
from keyfront.local.aws.web.function_events import EventSource
from keyfront.local.aws.web.function_results import Format, ReplyError, message, reply
from keyfront.local.aws.web.invocation_policy import InvocationPolicy
from keyfront.local.aws.web.jwt_authorizers import Issuers, RefusedTokenError, as_text
from keyfront.local.aws.web.proxy import Proxy
from keyfront.local.aws.web.requests import WebRequest
from keyfront.local.aws.web.rest_server import RestServer
from keyfront.local.aws.web.routes import Route
from keyfront.local.aws.web.signed_requests import NOT_ITS_BODY, SignedRequest, may_call
from keyfront.local.lambdas.function import BusyError, Function, FunctionError
from keyfront.local.lambdas.function_runner import FunctionRunner, Perform
from keyfront.local.lambdas.sandbox import Result

if TYPE_CHECKING:
    from keyfront.local.aws.web.saved_apis import FunctionUrl, HttpApi, Integration

_log = logging.getLogger(__name__)

_NOT_FOUND: Final = message(404, "Not Found")
_FAILED: Final = message(500, "Internal Server Error")
_UNAVAILABLE: Final = message(503, "Service Unavailable")
_FORBIDDEN: Final = message(403, "Forbidden")
_URL_FORBIDDEN: Final = message(403, "Forbidden", member="Message")


class WebServer:
    """Serves HTTP APIs, REST APIs and function URLs, in the endpoint's event loop."""

    def __init__(self, functions: FunctionRunner, perform: Perform, *, enforce: bool) -> None:
        """Create the server. `perform` reads moto's state. `enforce` refuses calls that policies do not allow."""
        self._functions, self._perform, self._enforce = functions, perform, enforce
        self._permissions, self._issuers, self._proxy = InvocationPolicy(enforced=enforce), Issuers(), Proxy()
        self._rest = RestServer(functions, self._permissions, self._proxy)

    async def answer(self, address: APIHost, request: WebRequest) -> EndpointResponse:
        """Return the response of `address` to `request`."""
        if SOURCE_HOST in request.headers:
            # At Amazon it would arrive under the viewer's name, which no API has.
            return _FORBIDDEN if address.kind == "execute-api" else _URL_FORBIDDEN
        return await (self._api if address.kind == "execute-api" else self._url)(address.id, request)

    async def close(self) -> None:
        """Close the connections to integrations."""
        await self._proxy.close()

    async def _api(self, api_id: str, request: WebRequest) -> EndpointResponse:
        from keyfront.local.aws.web import saved_apis

        api = await asyncio.to_thread(self._perform, lambda: saved_apis.http_api(api_id), changes=False)
        if api is None:
            return await self._rest_api(api_id, request)
        if api.cors is not None and (preflight := api.cors.preflight(request)):
            return preflight
        answer = await self._routed(api, request)
        return answer if api.cors is None else api.cors.applied(request, answer)

    async def _rest_api(self, api_id: str, request: WebRequest) -> EndpointResponse:
        from keyfront.local.aws.web import saved_rest_apis

        api = await asyncio.to_thread(self._perform, lambda: saved_rest_apis.rest_api(api_id), changes=False)
        return _NOT_FOUND if api is None else await self._rest.answer(api, request)

    async def _routed(self, api: "HttpApi", request: WebRequest) -> EndpointResponse:
        stage, path = _stage(api, request.path)
        chosen = routes.choose(api.routes, request.method, path) if stage is not None else None
        if stage is None or chosen is None:
            return _NOT_FOUND
        route, parameters = chosen
        integration = api.integrations.get(route.integration)
        if integration is None:
            return _FAILED
        try:
            authorizer = await self._authorized(api, route, request)
        except RefusedTokenError as refused:
            return _refusal(refused)
        if integration.kind == "HTTP_PROXY":
            with suppress(TimeoutError):
                async with asyncio.timeout(integration.seconds):
                    return await self._proxy.answer(integration.uri, integration.method, request, parameters)
            return _UNAVAILABLE
        called = EventSource(api.account, api.id, stage, route.key, parameters, api.stages[stage], authorizer)
        return await self._integrated(api, route, integration, request, called)

    async def _integrated(
        self, api: "HttpApi", route: Route, integration: "Integration", request: WebRequest, called: EventSource
    ) -> EndpointResponse:
        arn = integration.function
        source = f"arn:aws:execute-api:{api.region}:{api.account}:{api.id}/{called.stage}/"
        source += route.key if route.key == routes.DEFAULT else route.key.replace(" ", "").replace("ANY/", "*/")
        version: Format = "2.0" if integration.version == "2.0" else "1.0"
        event = (
            function_events.version_2(request, called)
            if version == "2.0"
            else function_events.version_1(request, called, route.path)
        )
        try:
            function = await self._functions.find(arn)
            if not self._permissions.may_integrate(await self._functions.policy(function), function, source):
                return _FAILED
            async with asyncio.timeout(integration.seconds):
                result = await self._functions.call(function, json.dumps(event).encode(), arn=arn)
            return self._response(function, result, version)
        except (BusyError, TimeoutError):
            return _UNAVAILABLE
        except FunctionError as error:
            _log.warning("HTTP API %s, %s: %s", api.id, route.key, error)
            return _FAILED

    async def _authorized(self, api: "HttpApi", route: Route, request: WebRequest) -> Mapping[str, Any] | None:
        """Return the authorizer data for the function's event. Raises `RefusedTokenError` if the caller is refused."""
        if route.authorization == "NONE":
            return None
        authorizer = api.authorizers.get(route.authorizer or "")
        if authorizer is None:
            _log.warning(
                "route %r: authorizers of type %s are not supported, so the request is refused",
                route.key,
                route.authorization,
            )
            raise RefusedTokenError("no JWT authorizer", status=403)
        token = next((found for source in authorizer.sources if (found := request.select(source))), None)
        if token is None:
            raise RefusedTokenError("")
        claims = await self._issuers.claims(authorizer, token, route.scopes)
        return {"jwt": {"claims": as_text(claims), "scopes": list(route.scopes) or None}}

    async def _url(self, url_id: str, request: WebRequest) -> EndpointResponse:
        from keyfront.local.aws.web import saved_apis

        try:
            url = await asyncio.to_thread(self._perform, lambda: saved_apis.function_url(url_id), changes=False)
            if url is None:
                return _URL_FORBIDDEN
            if url.cors is not None and (preflight := url.cors.preflight(request)):
                return preflight
            answer = await self._opened(url, request)
        except BusyError as error:
            return message(429, str(error))
        except FunctionError as error:
            _log.warning("function URL %s: %s", url_id, error)
            return message(502, "Internal Server Error")
        return answer if url.cors is None else url.cors.applied(request, answer)

    async def _opened(self, url: "FunctionUrl", request: WebRequest) -> EndpointResponse:
        function = url.function
        called = EventSource("anonymous", url.id)
        if url.auth != "NONE":
            signed = SignedRequest.of(request)
            if signed is not None and not signed.covers_body:
                return message(403, NOT_ITS_BODY)
            if signed is None or not await self._may_call(signed, function, request):
                return _URL_FORBIDDEN
            called = EventSource(function.account, url.id, authorizer=signed.authorizer(function.account))
        elif not self._permissions.may_open(await self._functions.policy(function), function):
            return _URL_FORBIDDEN
        event = function_events.version_2(request, called)
        result = await self._functions.call(function, json.dumps(event).encode())
        answer = self._response(function, result, "2.0")
        return message(502, "Internal Server Error") if answer is _FAILED else answer

    async def _may_call(self, signed: SignedRequest, function: Function, request: WebRequest) -> bool:
        if signed.distribution is not None:
            return self._permissions.may_act(await self._functions.policy(function), function, signed.distribution)
        return not self._enforce or await asyncio.to_thread(
            self._perform, lambda: may_call(request, function), changes=False
        )

    def _response(self, function: Function, result: Result, version: Format) -> EndpointResponse:
        if result.failed:
            _log.warning("function %s failed: its log group %s has the reason", function.name, function.log_group)
            return _FAILED
        try:
            return reply(result.payload, version)
        except ReplyError as error:
            _log.warning("the result of function %s is not a response: %s", function.name, error)
            return _FAILED


def _stage(api: "HttpApi", path: str) -> tuple[str | None, str]:
    """Return the stage of a path (`None` if there is none), and the rest of the path."""
    first, _, rest = path[1:].partition("/")
    if first in api.stages and first != routes.DEFAULT:
        return first, f"/{rest}"
    return (routes.DEFAULT if routes.DEFAULT in api.stages else None), path


def _refusal(refused: RefusedTokenError) -> EndpointResponse:
    why = str(refused).replace('"', "'")
    said = f'Bearer scope="" error="{refused.code}" error_description="{why}"' if why else "Bearer"
    return message(
        refused.status, "Unauthorized" if refused.status == 401 else "Forbidden", [("www-authenticate", said)]
    )
