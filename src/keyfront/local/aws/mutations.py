"""Decides which requests to moto are changes. If it is unknown, the request counts as a change."""

import re
from typing import Final
from urllib.parse import parse_qs

from keyfront.local.aws.bridge import Environ

_READING: Final = ("GET", "HEAD", "OPTIONS")
_READS: Final = ("Get", "List", "Describe", "Head", "BatchGet", "Query", "Scan", "Filter", "Search", "Lookup")
"""Prefixes of reading operations. Some change a detail (the date of a secret's last read), which need not be saved."""
_CRYPTOGRAPHY: Final = frozenset(
    {
        *("Sign", "Verify", "Encrypt", "Decrypt", "ReEncrypt", "GenerateMac", "VerifyMac", "GenerateRandom"),
        *("GenerateDataKey", "GenerateDataKeyWithoutPlaintext"),
        *("GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext"),
    }
)
"""KMS operations that use a key but do not change it."""
_PASSING: Final = ("AssumeRole",)
"""Prefixes of operations whose result need not be saved, such as credentials for an hour."""
_INVOCATION: Final = re.compile(r"/[0-9-]+/functions/[^/]+/(invocations|invoke-async/?|response-streaming-invocations)")
"""Calls of functions, which leave only log lines. A function makes its changes with requests of its own."""


def may_change(environ: Environ) -> bool:
    """Return whether a request may change a service."""
    operation = _operation(environ)
    if operation is None:
        return environ["REQUEST_METHOD"] not in _READING
    return not operation.startswith(_READS) and operation not in _CRYPTOGRAPHY


def must_be_kept(environ: Environ) -> bool:
    """Return whether the client relies on the change later. Such a change is refused if it cannot be saved."""
    if not may_change(environ) or _INVOCATION.fullmatch(environ["PATH_INFO"]):
        return False
    return not (_operation(environ) or "").startswith(_PASSING)


def _operation(environ: Environ) -> str | None:
    """Return the operation, if a header (JSON protocols), the query or a form (Query protocol) names it."""
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        return str(target).rpartition(".")[2]
    text = environ["QUERY_STRING"]
    if environ["REQUEST_METHOD"] == "POST" and environ.get("CONTENT_TYPE", "").startswith(
        "application/x-www-form-urlencoded"
    ):
        text = environ["wsgi.input"].read().decode("latin-1")
        environ["wsgi.input"].seek(0)
    return parse_qs(text).get("Action", [None])[0] if "Action=" in text else None
