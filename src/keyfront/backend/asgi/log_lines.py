"""Log lines of the download service: text for people, JSON for programs."""

import logging.config
from typing import Any, Final, Literal

from keyfront.backend.asgi.adapter import ASGIRequest
from keyfront.backend.service.exchange import ServiceResponse

_log = logging.getLogger(__name__)

LogFormat = Literal["text", "json"]

_LEVELS: Final = {"keyfront": "INFO", "_granian": "WARNING", "": "WARNING"}
"""The least level of each logger's lines. granian reports its processes below WARNING, which the parent does itself."""


def log_configuration(log_format: LogFormat) -> dict[str, Any]:
    """Return the configuration of `logging` for a process of the service. Lines go to standard error.

    A JSON line has the facts of its event as members, such as `customer`, `item` and `seconds`.
    """
    text = {"format": "%(asctime)s %(levelname)s %(message)s"}
    as_json = {
        "()": "pythonjsonlogger.json.JsonFormatter",
        "fmt": "{levelname}{name}{process}{message}",
        "style": "{",
        "rename_fields": {"levelname": "level", "name": "logger"},
        "timestamp": "time",
    }
    logger = {name: {"level": level, "handlers": ["lines"], "propagate": False} for name, level in _LEVELS.items()}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": as_json if log_format == "json" else text},
        "handlers": {"lines": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": logger.pop(""),
        "loggers": logger,
    }


def configure_logs(log_format: LogFormat) -> None:
    """Configure `logging` in this process."""
    logging.config.dictConfig(log_configuration(log_format))


def log_request(request: ASGIRequest, answer: ServiceResponse, seconds: float) -> None:
    """Log a request, without its query and its headers, which may contain a secret."""
    facts = {
        "method": request.method,
        "path": request.path,
        "status": answer.status,
        "outcome": answer.outcome,
        "viewer": request.address,
        "milliseconds": round(seconds * 1000, 1),
    }
    _log.info("%s %a: %d for %s", request.method, request.path, answer.status, request.address, extra=facts)
