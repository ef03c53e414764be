"""The CORS headers of an HTTP API or a function URL with a CORS configuration.

Source: API Gateway Developer Guide, "Configure CORS for HTTP APIs"; Lambda Developer Guide, "Cross-origin resource
sharing" of function URLs. If there is a configuration, the function's own CORS headers are removed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from keyfront.core.resource import wildcard
from keyfront.local.aws.responses import EndpointResponse
from keyfront.local.aws.web.requests import WebRequest

_PREFIX: Final = "access-control-"


@dataclass(frozen=True)
class Cors:
    """A CORS configuration: allowed origins, methods and headers, and the headers that pages may read."""

    origins: tuple[str, ...]
    methods: tuple[str, ...]
    headers: tuple[str, ...]
    exposed: tuple[str, ...]
    credentials: bool
    seconds: int | None

    @classmethod
    def of(cls, configuration: Mapping[str, Any]) -> Self:
        """Return the configuration in the API's document. Names may begin with a lower or upper case letter."""
        given = {name[:1].lower() + name[1:]: value for name, value in configuration.items()}
        return cls(
            tuple(given.get("allowOrigins") or ()),
            tuple(given.get("allowMethods") or ()),
            tuple(given.get("allowHeaders") or ()),
            tuple(given.get("exposeHeaders") or ()),
            bool(given.get("allowCredentials")),
            given.get("maxAge"),
        )

    def preflight(self, request: WebRequest) -> EndpointResponse | None:
        """Return the response to a preflight request, or `None` for other requests."""
        headers = request.headers
        if request.method != "OPTIONS" or "origin" not in headers or "access-control-request-method" not in headers:
            return None
        named = self._allowed(headers["origin"])
        if named:
            named += [
                (f"{_PREFIX}{name}", ",".join(values))
                for name, values in (("allow-methods", self.methods), ("allow-headers", self.headers))
                if values
            ]
            if self.seconds is not None:
                named.append((f"{_PREFIX}max-age", str(self.seconds)))
        return EndpointResponse(204, named, b"")

    def applied(self, request: WebRequest, answer: EndpointResponse) -> EndpointResponse:
        """Return `answer` with the CORS headers of this configuration."""
        kept = [pair for pair in answer.headers if not pair[0].lower().startswith(_PREFIX)]
        named = self._allowed(request.headers.get("origin", ""))
        if named and self.exposed:
            named.append((f"{_PREFIX}expose-headers", ",".join(self.exposed)))
        return EndpointResponse(answer.status, [*kept, *named], answer.body)

    def _allowed(self, origin: str) -> list[tuple[str, str]]:
        if not origin or not any(wildcard(each).fullmatch(origin) for each in self.origins):
            return []
        # Browsers do not accept an asterisk together with credentials.
        named = [(f"{_PREFIX}allow-origin", "*" if "*" in self.origins and not self.credentials else origin)]
        if self.credentials:
            named.append((f"{_PREFIX}allow-credentials", "true"))
        return [*named, ("vary", "Origin")]
