"""Words and marks for both the terminal and the page."""

from datetime import datetime
from typing import Final

from keyfront.explain.times import relative, utc
from keyfront.explain.values import Lineup, Report

HEADS: Final = {"allowed": "Allowed", "refused": "Refused", "unknown": "Cannot tell"}
CERTAIN: Final = {"certain": "", "likely": "likely", "possible": "possible"}
WANTED: Final = {"passed": "expected", "failed": "expected", "unknown": "needed"}
STEPS: Final = {
    "host": "Host name",
    "behavior": "Cache behavior",
    "protocol": "Protocol",
    "method": "Method",
    "credentials": "Signature sent",
    "key-pair-id": "Key-pair id",
    "trusted-key": "Trusted key",
    "policy": "Policy",
    "hash-algorithm": "Hash algorithm",
    "signature": "Signature",
    "resource": "Resource",
    "starts": "Starts",
    "expires": "Expires",
    "address": "Viewer address",
}
_TIMES: Final = {"starts": "starts", "expires": "expires", "asked": "checked at"}
_AROUND: Final = 34


def clean(text: str) -> str:
    """Return `text` without characters that could move a terminal's cursor. Line ends stay."""
    return "".join(each if each.isprintable() or each == "\n" else ascii(each)[1:-1] for each in text)


def times(report: Report) -> list[tuple[str, str]]:
    """Return the report's times: the name, and the time in UTC, in the local zone, and relative to the check."""
    told = dict(report.times)
    asked = told["asked"]
    lines = []
    for name, at in report.times:
        when = f"{utc(at)}{_local(at)}"
        if name != "asked":
            past = {"starts": "started", "expires": "expired"}.get(name, name)
            when += f": {past if at <= asked else name} {relative(at, asked)}"
        lines.append((_TIMES.get(name, name), when))
    return lines


def _local(seconds: float) -> str:
    try:
        local = datetime.fromtimestamp(seconds).astimezone()
    except (ValueError, OverflowError, OSError):
        return ""
    return "" if not local.utcoffset() else f" ({local.strftime('%Y-%m-%d %H:%M:%S %Z')})"


def window(lineup: Lineup) -> tuple[str, str, str, str]:
    """Return both texts cut around the first difference, each with a caret line (empty if they do not differ)."""
    return (
        *_cut(lineup.expected, lineup.expected_at),
        *_cut(lineup.seen, lineup.seen_at),
    )


def _cut(text: str, at: int | None) -> tuple[str, str]:
    if at is None:
        return text, ""
    start = max(0, at - _AROUND) if len(text) > 2 * _AROUND else 0
    end = min(len(text), max(at + _AROUND, start + 2 * _AROUND))
    shown = ("…" if start else "") + text[start:end] + ("…" if end < len(text) else "")
    return shown, " " * (at - start + bool(start)) + "^"
