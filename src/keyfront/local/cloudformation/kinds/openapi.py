"""Reads the OpenAPI description of an HTTP API, with the extensions of API Gateway.

Source: API Gateway Developer Guide, "OpenAPI extensions". Lambda proxies and HTTP proxies are supported.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

_METHODS: Final = frozenset({"get", "put", "post", "delete", "options", "head", "patch"})
_ANY: Final = "x-amazon-apigateway-any-method"
_INTEGRATION: Final = "x-amazon-apigateway-integration"
_FUNCTION: Final = re.compile(r".*/functions/(arn:.*)/invocations")
_DEFAULT: Final = "$default"


@dataclass(frozen=True)
class Route:
    """A route with its integration."""

    key: str
    integration: Mapping[str, Any]
    authorizer: str | None


@dataclass(frozen=True)
class Description:
    """An OpenAPI description. Every method raises `ValueError` for what is not supported."""

    document: Mapping[str, Any]

    def settings(self) -> dict[str, Any]:
        """Return the settings of the API."""
        info = self.document.get("info", {})
        found = {"Name": str(info.get("title", "api")), "ProtocolType": "HTTP"}
        if "description" in info:
            found["Description"] = info["description"]
        cors = self.document.get("x-amazon-apigateway-cors")
        return {**found, **({"CorsConfiguration": dict(cors)} if cors else {})}

    def authorizers(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield each JWT authorizer by its name."""
        schemes = self.document.get("components", {}).get("securitySchemes", {})
        for name, scheme in schemes.items():
            given = scheme.get("x-amazon-apigateway-authorizer", {})
            if given.get("type", "").lower() != "jwt":
                raise ValueError(f"the authorizer {name} is not of type jwt: others are not supported at this endpoint")
            jwt = given["jwtConfiguration"]
            yield (
                name,
                {
                    "Name": name,
                    "AuthorizerType": "JWT",
                    "IdentitySource": [given.get("identitySource", "$request.header.Authorization")],
                    "JwtConfiguration": {"Issuer": jwt["issuer"], "Audience": list(jwt.get("audience", []))},
                },
            )

    def routes(self) -> Iterator[Route]:
        """Yield each route."""
        for path, methods in self.document.get("paths", {}).items():
            for method, operation in methods.items():
                if method != _ANY and method.lower() not in _METHODS:
                    continue
                verb = "ANY" if method == _ANY else method.upper()
                key = _DEFAULT if path.strip("/") == _DEFAULT else f"{verb} {path}"
                security = [name for each in operation.get("security", []) for name in each]
                yield Route(key, _integration(key, operation), security[0] if security else None)


def _integration(key: str, operation: Mapping[str, Any]) -> dict[str, Any]:
    given = operation.get(_INTEGRATION)
    if given is None:
        raise ValueError(f"the route {key} has no {_INTEGRATION}")
    kind = str(given["type"]).upper()
    uri = _FUNCTION.sub(r"\1", str(given["uri"]))
    found = {"IntegrationType": kind, "IntegrationUri": uri, "IntegrationMethod": given.get("httpMethod", "POST")}
    version = str(given.get("payloadFormatVersion", "1.0"))
    return {**found, "PayloadFormatVersion": version}
