"""Reads signed URLs from CloudFront's standard access logs. Source: Developer Guide, "Standard logging reference".

It reads signatures and policies only from query strings, because most logs do not include cookies.
"""

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import parse_qs, unquote

from keyfront.account.audit.values import LogFacts
from keyfront.core.encoding import decode
from keyfront.errors import InputError, KeyfrontError


def read_logs(files: Iterable[Path]) -> LogFacts:
    """Return the facts of all `files`, plain or gzip. Raises `InputError` for a file that is not such a log."""
    signed = sha1 = address = 0
    hosts: set[str] = set()
    for path in files:
        try:
            data = path.read_bytes()
            text = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode("utf-8", "replace")
        except (OSError, EOFError) as error:
            raise InputError(f"the access log {str(path)!r} cannot be read: {error}") from None
        fields = next((line[8:].split() for line in text.splitlines() if line.startswith("#Fields:")), None)
        if fields is None or not {"cs-uri-query", "sc-status", "cs(Host)"} <= set(fields):
            raise InputError(
                f"{str(path)!r} is not an access log of CloudFront: it has no #Fields line with cs-uri-query"
            )
        for line in text.splitlines():
            row = dict(zip(fields, line.split("\t"), strict=False))
            # A refused link does not show how signers sign.
            if line.startswith("#") or not row.get("sc-status", "").startswith(("2", "3")):
                continue
            query = parse_qs(row.get("cs-uri-query", ""))
            if not {"Signature", "Key-Pair-Id"} <= query.keys():
                continue
            signed += 1
            if query.get("Hash-Algorithm", ["SHA1"])[0] == "SHA1":
                sha1 += 1
                hosts.add(row["cs(Host)"])
            address += _has_address(query.get("Policy", [""])[0])
    return LogFacts(signed, sha1, address, tuple(sorted(hosts)))


def _has_address(policy: str) -> bool:
    try:
        found = json.loads(decode(unquote(policy))) if policy else {}
        statement = found.get("Statement", {})
        first = statement[0] if isinstance(statement, list) else statement
        return "IpAddress" in first.get("Condition", {})
    except (ValueError, KeyfrontError, AttributeError, IndexError, TypeError):
        return False
