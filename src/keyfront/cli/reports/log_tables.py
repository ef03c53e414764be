"""The answers of `keyfront logs` on a terminal, and as JSON."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from keyfront.account.logs.page import size
from keyfront.cli.output import Json
from keyfront.explain.times import utc
from keyfront.explain.wording import clean

if TYPE_CHECKING:
    from keyfront.account.logs.analysis import AccessLogs
    from keyfront.account.logs.keys import KeyUse
    from keyfront.account.logs.refusals import Reason, Top


def show_keys(logs: "AccessLogs") -> None:
    """Print who used which key."""
    console = _console()
    for verdict in logs.key_verdicts:
        names = ", ".join(filter(None, (verdict.name, *(f"group {each}" for each in verdict.groups))))
        console.print(Text.assemble((verdict.key_pair_id, "bold"), f"  {clean(names)}" if names else ""))
        if verdict.uses:
            console.print(Padding(_uses(verdict.uses), (0, 0, 0, 2), expand=False))
        answer = ("cannot tell whether it is needed", "yellow")
        if verdict.safe_after:
            answer = (f"safe to remove {verdict.safe(logs.now)}", "green")
        console.print(Text.assemble("  ", answer, f", because: {verdict.because}\n"))
    if not logs.key_verdicts:
        console.print("No request named a key.")
    if not logs.has_cookies:
        console.print("The log has no cookies: uses of signed cookies are not in it.", style="dim")
    _write(console)


def _uses(uses: Iterable["KeyUse"]) -> Table:
    rows = [
        (
            f"{each.distribution} {each.pattern}",
            f"{each.requests:,}",
            f"{each.allowed:,}",
            f"{each.refused:,}",
            size(each.bytes),
            utc(each.first_seen),
            utc(each.last_seen),
            utc(each.latest_expiry) if each.latest_expiry else "-",
            _joined(sha1=each.sha1, sha256=each.sha256),
            _joined(url=each.by_url, cookie=each.by_cookie),
        )
        for each in uses
    ]
    titles = (
        *("where", "requests", "allowed", "refused", "sent", "first seen", "last seen", "latest expiry"),
        *("hash", "by"),
    )
    return _table(titles, rows, numbers=(1, 2, 3, 4))


def _joined(**counts: int) -> str:
    return "+".join(name for name, count in counts.items() if count) or "-"


def show_refused(logs: "AccessLogs") -> None:
    """Print why viewers were refused."""
    console = _console()
    for each in logs.reasons:
        _show_reason(console, each)
    if not logs.reasons:
        console.print("Nobody was refused.")
    _write(console)


def _show_reason(console: Console, reason: "Reason") -> None:
    when = f"{utc(reason.first_seen)} to {utc(reason.last_seen)}"
    console.print(Text.assemble((f"{reason.requests:,} × {reason.words}", "bold"), (f"  [{reason.id}]", "dim")))
    rows = [("Seen", f"{reason.links:,} signatures from {reason.networks:,} networks, {when}")]
    rows += [("Finding", f"{each.title} [{each.id}]. {each.fix}") for each in reason.findings]
    rows += [
        (name, _listed(values))
        for name, values in (
            ("Paths", reason.paths),
            ("Keys", reason.keys),
            ("Networks", reason.from_networks),
            ("Programs", reason.agents),
            ("Referrers", reason.referrers),
        )
        if values
    ]
    if reason.sample:
        rows.append(("A URL", reason.sample))
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, style="dim")
    grid.add_column(overflow="fold")
    for name, text in rows:
        grid.add_row(name, Text(clean(text)))
    console.print(Padding(grid, (0, 0, 1, 2), expand=False))


def _listed(values: Sequence["Top"]) -> str:
    return ", ".join(f"{each.value[:120]} ({each.requests:,})" for each in values[:5])


def show_sharing(logs: "AccessLogs") -> None:
    """Print who shares links."""
    console, found = _console(), logs.sharing
    rows = [
        (
            each.link,
            clean(each.path),
            f"{each.networks:,}",
            f"{each.networks_in_an_hour:,}",
            f"{each.countries:,}" if each.countries else "-",
            f"{each.requests:,}",
            size(each.bytes),
            f"{each.surprise:.1f}",
        )
        for each in found.shared
    ]
    if rows:
        titles = ("signature", "path", "networks", "in an hour", "countries", "requests", "sent", "surprise")
        console.print(_table(titles, rows, numbers=(2, 3, 4, 5, 6, 7)))
    else:
        console.print("No signature was used by more than one person.")
    lives = found.lives
    console.print(f"\nOf {lives.requests:,} requests with {lives.links:,} signatures, these would have been stopped:")
    for text, number in (
        ("a life of 1 hour after the first use", lives.after_1_hour),
        ("a life of 6 hours", lives.after_6_hours),
        ("a life of a day", lives.after_1_day),
        ("the first viewer's network in the policy", lives.from_other_networks),
    ):
        console.print(f"  {number:>10,}  {text}")
    console.print(f"  {lives.past_expiry:>10,}  downloads ended after the expiry; they began before it", style="dim")
    for site in found.hot:
        console.print(
            Text(f"hot links: {clean(site.referrer)} led {site.networks:,} networks to {site.links:,} links", "yellow")
        )
    _write(console)


def show_notices(logs: "AccessLogs") -> None:
    """Print what deserves a look."""
    console = _console()
    count = logs.count
    console.print(f"{count.rows:,} requests in {count.files:,} file{'' if count.files == 1 else 's'}", style="dim")
    for each in logs.notices:
        console.print(Text.assemble((clean(each.text), "bold"), (f"  [{each.id}]", "dim")))
        console.print(Padding(Text(clean(each.todo)), (0, 0, 1, 2), expand=False))
    if not logs.notices:
        console.print("Nothing deserves a look.")
    _write(console)


def keys_as_json(logs: "AccessLogs") -> Json:
    """Return who used which key."""
    keys: list[Json] = [asdict(each) for each in logs.key_verdicts]
    return {"keys": keys, "cookies_logged": logs.has_cookies, "read": _count(logs)}


def refused_as_json(logs: "AccessLogs") -> Json:
    """Return why viewers were refused."""
    return {"reasons": [_reason(each) for each in logs.reasons], "read": _count(logs)}


def _reason(reason: "Reason") -> Json:
    told = {name: getattr(reason, name) for name in reason.__slots__ if name != "findings"}
    for name in ("paths", "referrers", "agents", "from_networks", "keys"):
        told[name] = [asdict(each) for each in told[name]]
    findings: list[Json] = [{"id": each.id, "title": each.title, "fix": each.fix} for each in reason.findings]
    return {**told, "findings": findings}


def sharing_as_json(logs: "AccessLogs") -> Json:
    """Return who shares links."""
    found = logs.sharing
    return {
        "shared": [{**asdict(each), "surprise": round(each.surprise, 2)} for each in found.shared],
        "would_have_stopped": asdict(found.lives),
        "hot_links": [asdict(each) for each in found.hot],
        "long_lived": found.long_lived,
        "read": _count(logs),
    }


def summary_as_json(logs: "AccessLogs") -> Json:
    """Return all answers."""
    names = ("hour", "requests", "signed", "allowed", "refused", "bytes")
    return {
        "notices": [asdict(each) for each in logs.notices],
        "keys": keys_as_json(logs),
        "refused": refused_as_json(logs),
        "sharing": sharing_as_json(logs),
        "hours": [dict(zip(names, row, strict=True)) for row in logs.hours],
    }


def _count(logs: "AccessLogs") -> Json:
    count = logs.count
    return {
        "files": count.files,
        "bytes": count.bytes,
        "rows": count.rows,
        "broken_rows": count.broken,
        "files_left_out": count.skipped_files,
        "unread_files": [{"file": name, "reason": reason} for name, reason in count.unread],
        "files_cut_short": list(count.cut),
        "stopped": count.stopped,
    }


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] = ()) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for number, title in enumerate(titles):
        table.add_column(title, justify="right" if number in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(each) for each in row))
    return table


def _console() -> Console:
    width = None if sys.stdout.isatty() else 150
    console = Console(highlight=False, markup=False, emoji=False, width=width)
    console.begin_capture()
    return console


def _write(console: Console) -> None:
    # Tables pad their last column with spaces, which do not belong in a file.
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in console.end_capture().splitlines()))
