"""Extends moto's Lambda: it keeps a function's whole configuration, and returns function URLs that work here.

It also lists function URLs, and keeps the conditions of their permissions.
"""

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

from moto.awslambda.models import FunctionUrlConfig, LambdaFunction
from moto.awslambda.policy import Policy
from moto.awslambda.responses import LambdaResponse
from moto.awslambda.urls import url_paths
from moto.core.common_types import TYPE_RESPONSE

from keyfront.local.aws.web import hosts

_make: Final = LambdaFunction.__init__
_configuration: Final = LambdaFunction.get_configuration
_update: Final = LambdaFunction.update_configuration
_url: Final = FunctionUrlConfig.to_dict
_decode: Final = Policy.decode_policy

_URLS: Final = r"{0}/(?P<api_version>[^/]+)/functions/(?P<function_name>[\w_:%-]+)/urls/?$"
_CONDITIONS: Final = {
    "FunctionUrlAuthType": ("StringEquals", "lambda:FunctionUrlAuthType"),
    "InvokedViaFunctionUrl": ("Bool", "lambda:InvokedViaFunctionUrl"),
}
"""Members of AddPermission that are conditions in the policy. Source: Lambda API Reference, "AddPermission"."""


def install() -> None:
    """Add `LoggingConfig`, which Terraform needs for an empty plan, and function URLs that can be reached."""

    def make(self: LambdaFunction, account_id: str, spec: dict[str, Any], region: str, version: str | int = 1) -> None:
        _make(self, account_id, spec, region, version)
        _set_logging(self, spec.get("LoggingConfig") or {})

    def configuration(self: LambdaFunction, *arguments: Any, **named: Any) -> dict[str, Any]:
        told = _configuration(self, *arguments, **named)
        return {**told, "LoggingConfig": getattr(self, "logging_config", None) or _logging(self, {})}

    def update(self: LambdaFunction, config_updates: dict[str, Any]) -> dict[str, Any]:
        if config_updates.get("LoggingConfig"):
            _set_logging(self, config_updates["LoggingConfig"])
        # moto sets these when a function is created, and ignores them when it is changed.
        self.tracing_config = config_updates.get("TracingConfig") or self.tracing_config
        if size := (config_updates.get("EphemeralStorage") or {}).get("Size"):
            self.ephemeral_storage = size
        return _update(self, config_updates)

    def url(self: FunctionUrlConfig) -> dict[str, Any]:
        told = _url(self)
        cors = {"Cors": told["Cors"]} if told["Cors"] else {}
        # As in the API: capitalized names, and no `Cors` if it is null.
        mode = {"InvokeMode": self.config.get("InvokeMode") or "BUFFERED"}
        return (
            {name: value for name, value in told.items() if name != "Cors"}
            | cors
            | mode
            | {"FunctionUrl": f"{hosts.here(self.url)}/"}
        )

    url_paths[_URLS] = LambdaResponse.dispatch
    LambdaResponse.list_function_url_configs = list_function_url_configs  # type: ignore[attr-defined]
    Policy.decode_policy = decode_policy  # type: ignore[method-assign]
    FunctionUrlConfig.to_dict = url  # type: ignore[method-assign]
    LambdaFunction.__init__ = make  # type: ignore[method-assign]
    LambdaFunction.get_configuration = configuration  # type: ignore[method-assign]
    LambdaFunction.update_configuration = update  # type: ignore[method-assign]


def list_function_url_configs(self: LambdaResponse) -> TYPE_RESPONSE:
    """ListFunctionUrlConfigs. A function has one URL here, because moto has none for aliases."""
    config = self.backend.get_function(unquote(self.path.split("/")[-2]), None).url_config
    return 200, {}, json.dumps({"FunctionUrlConfigs": [config.to_dict()] if config else []})


def decode_policy(self: Policy, obj: dict[str, Any]) -> Policy:
    """Return the statement of an AddPermission, with all of its conditions."""
    found = {name: obj.pop(name) for name in _CONDITIONS if name in obj}
    policy = _decode(self, obj)
    for name, value in found.items():
        operator, key = _CONDITIONS[name]
        told = str(value).lower() if isinstance(value, bool) else value
        policy.statements[0].setdefault("Condition", {}).setdefault(operator, {})[key] = told
    return policy


def _set_logging(function: LambdaFunction, wanted: Mapping[str, str]) -> None:
    function.logging_config = _logging(function, wanted)  # type: ignore[attr-defined]


def _logging(function: LambdaFunction, wanted: Mapping[str, str]) -> dict[str, str]:
    """Return the logging configuration. Levels exist only for JSON, and default to INFO.

    Source: Lambda API Reference, "LoggingConfig".
    """
    levels = {"ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO"} if wanted.get("LogFormat") == "JSON" else {}
    return {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{function.function_name}", **levels, **wanted}
