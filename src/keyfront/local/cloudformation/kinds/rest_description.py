"""Reads the OpenAPI description of a REST API, with the extensions of API Gateway.

Source: API Gateway Developer Guide, "OpenAPI extensions". Its methods become properties of `AWS::ApiGateway::Method`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

_METHODS: Final = frozenset({"delete", "get", "head", "options", "patch", "post", "put"})
_ANY: Final = "x-amazon-apigateway-any-method"
_INTEGRATION: Final = "x-amazon-apigateway-integration"
_API_KEY: Final = "api_key"
_RENAMED: Final = {"httpMethod": "integrationHttpMethod"}


@dataclass(frozen=True)
class RestDescription:
    """An OpenAPI description. Every method raises `ValueError` for what is not supported."""

    document: Mapping[str, Any]

    def settings(self) -> dict[str, Any]:
        """Return the settings of the API."""
        info = self.document.get("info", {})
        found = {"Name": info.get("title"), "Description": info.get("description")}
        return {name: str(value) for name, value in found.items() if value is not None}

    def methods(self) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        """Yield each method: its path, its verb, and its properties as a template has them."""
        for path, methods in self.document.get("paths", {}).items():
            for verb, operation in methods.items():
                if verb == _ANY or verb.lower() in _METHODS:
                    yield path, "ANY" if verb == _ANY else verb.upper(), _method(f"{verb} {path}", operation)


def _method(key: str, operation: Mapping[str, Any]) -> dict[str, Any]:
    given = dict(operation.get(_INTEGRATION) or {})
    if not given:
        raise ValueError(f"the method {key} has no {_INTEGRATION}")
    security = {name for each in operation.get("security") or [] for name in each}
    if other := sorted(security - {_API_KEY}):
        raise ValueError(f"the method {key} has the authorizer {other[0]}: authorizers are not supported here")
    responses = given.pop("responses", None) or {}
    statuses = {str(each["statusCode"]): each for each in responses.values()}
    return {
        "AuthorizationType": "NONE",
        "ApiKeyRequired": bool(security),
        "MethodResponses": [
            {"StatusCode": status, "ResponseParameters": dict.fromkeys(each.get("responseParameters") or {}, False)}
            for status, each in statuses.items()
        ],
        "Integration": {
            **{_RENAMED.get(name, name): value for name, value in given.items()},
            "type": str(given["type"]).upper(),
            "IntegrationResponses": [
                {**({} if pattern == "default" else {"selectionPattern": pattern}), **each}
                for pattern, each in responses.items()
            ],
        },
    }
