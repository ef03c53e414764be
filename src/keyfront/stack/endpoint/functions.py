"""moto's Lambda, taught to keep the parts of a function's configuration that it forgets."""

from collections.abc import Mapping
from typing import Any, Final

from moto.awslambda.models import LambdaFunction

_make: Final = LambdaFunction.__init__
_configuration: Final = LambdaFunction.get_configuration
_update: Final = LambdaFunction.update_configuration


def install() -> None:
    """Let functions have a `LoggingConfig`: a Terraform configuration that sets one would never plan clean."""

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

    LambdaFunction.__init__ = make  # type: ignore[method-assign]
    LambdaFunction.get_configuration = configuration  # type: ignore[method-assign]
    LambdaFunction.update_configuration = update  # type: ignore[method-assign]


def _set_logging(function: LambdaFunction, wanted: Mapping[str, str]) -> None:
    function.logging_config = _logging(function, wanted)  # type: ignore[attr-defined]


def _logging(function: LambdaFunction, wanted: Mapping[str, str]) -> dict[str, str]:
    """Source: Lambda API Reference, "LoggingConfig"; the levels exist in JSON alone, and begin at INFO."""
    levels = {"ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO"} if wanted.get("LogFormat") == "JSON" else {}
    return {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{function.function_name}", **levels, **wanted}
