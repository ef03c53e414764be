"""moto's Lambda, taught to keep the parts of a function's configuration that it forgets, and where functions are."""

from collections.abc import Mapping
from typing import Any, Final

from moto.awslambda.models import FunctionUrlConfig, LambdaFunction

from keyfront.local.aws.web import hosts

_make: Final = LambdaFunction.__init__
_configuration: Final = LambdaFunction.get_configuration
_update: Final = LambdaFunction.update_configuration
_url: Final = FunctionUrlConfig.to_dict


def install() -> None:
    """Let functions have a `LoggingConfig`, without which no Terraform plan is clean, and URLs that can be reached."""

    def make(self: LambdaFunction, account_id: str, spec: dict[str, Any], region: str, version: str | int = 1) -> None:
        _make(self, account_id, spec, region, version)
        _set_logging(self, spec.get("LoggingConfig") or {})

    def configuration(self: LambdaFunction, *arguments: Any, **named: Any) -> dict[str, Any]:
        told = _configuration(self, *arguments, **named)
        return {**told, "LoggingConfig": getattr(self, "logging_config", None) or _logging(self, {})}

    def update(self: LambdaFunction, config_updates: dict[str, Any]) -> dict[str, Any]:
        if config_updates.get("LoggingConfig"):
            _set_logging(self, config_updates["LoggingConfig"])
        # Set when a function is made, and passed over by moto when it is changed.
        self.tracing_config = config_updates.get("TracingConfig") or self.tracing_config
        if size := (config_updates.get("EphemeralStorage") or {}).get("Size"):
            self.ephemeral_storage = size
        return _update(self, config_updates)

    def url(self: FunctionUrlConfig) -> dict[str, Any]:
        url_id = self.url.partition("//")[2].partition(".")[0]
        told = _url(self)
        cors = {"Cors": told["Cors"]} if told["Cors"] else {}
        here = hosts.function_url(url_id, self.function.region) or f"{self.url}/"
        # As the API has it, in capitals, and without a Cors of null.
        mode = {"InvokeMode": self.config.get("InvokeMode") or "BUFFERED"}
        return {name: value for name, value in told.items() if name != "Cors"} | cors | mode | {"FunctionUrl": here}

    FunctionUrlConfig.to_dict = url  # type: ignore[method-assign]
    LambdaFunction.__init__ = make  # type: ignore[method-assign]
    LambdaFunction.get_configuration = configuration  # type: ignore[method-assign]
    LambdaFunction.update_configuration = update  # type: ignore[method-assign]


def _set_logging(function: LambdaFunction, wanted: Mapping[str, str]) -> None:
    function.logging_config = _logging(function, wanted)  # type: ignore[attr-defined]


def _logging(function: LambdaFunction, wanted: Mapping[str, str]) -> dict[str, str]:
    """Source: Lambda API Reference, "LoggingConfig"; the levels exist in JSON alone, and begin at INFO."""
    levels = {"ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO"} if wanted.get("LogFormat") == "JSON" else {}
    return {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{function.function_name}", **levels, **wanted}
