"""Which requests to moto change something. A request that does not say counts as a change."""

import re
from typing import Final
from urllib.parse import parse_qs

from keyfront.local.aws.bridge import Environ

_READING: Final = ("GET", "HEAD", "OPTIONS")
_READS: Final = ("Get", "List", "Describe", "Head", "BatchGet", "Query", "Scan", "Filter", "Search", "Lookup")
"""How operations that read begin. What they change all the same (when a secret was last read) nobody was promised."""
_CRYPTOGRAPHY: Final = frozenset(
    {
        *("Sign", "Verify", "Encrypt", "Decrypt", "ReEncrypt", "GenerateMac", "VerifyMac", "GenerateRandom"),
        *("GenerateDataKey", "GenerateDataKeyPair", "GenerateDataKeyWithoutPlaintext"),
    }
)
"""What KMS does with a key leaves the key as it is."""
_PASSING: Final = ("AssumeRole",)
"""How operations begin that leave something, but not what anybody relies on tomorrow: credentials of an hour."""
_INVOCATION: Final = re.compile(r"/[0-9-]+/functions/[^/]+/(invocations|invoke-async/?|response-streaming-invocations)")
"""Of a function, which leaves what it printed. What it changes it asks for itself."""


def may_change(environ: Environ) -> bool:
    """Whether a request could leave a service other than it was."""
    operation = _operation(environ)
    if operation is None:
        return environ["REQUEST_METHOD"] not in _READING
    return not operation.startswith(_READS) and operation not in _CRYPTOGRAPHY


def must_be_kept(environ: Environ) -> bool:
    """Whether the client relies on the change from then on. Such a change is refused when it cannot be kept."""
    if not may_change(environ) or _INVOCATION.fullmatch(environ["PATH_INFO"]):
        return False
    return not (_operation(environ) or "").startswith(_PASSING)


def _operation(environ: Environ) -> str | None:
    """The operation, where a header (JSON protocols), the query or a form (Query protocol) names it."""
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        return str(target).rpartition(".")[2]
    text = environ["QUERY_STRING"]
    if environ["REQUEST_METHOD"] == "POST" and environ.get("CONTENT_TYPE", "").startswith(
        "application/x-www-form-urlencoded"
    ):
        text = environ["wsgi.input"].read().decode("latin-1")
        environ["wsgi.input"].seek(0)
    return parse_qs(text).get("Action", [None])[0] if "Action=" in text else None
