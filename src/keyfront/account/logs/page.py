"""The summary as one self-contained page: no scripts, no external files, for small and large screens."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from keyfront.account.logs.analysis import AccessLogs
from keyfront.account.logs.charts import bars, lines
from keyfront.account.logs.keys import KeyVerdict
from keyfront.account.logs.refusals import Reason, total
from keyfront.account.logs.sharing import Sharing
from keyfront.account.logs.values import Count
from keyfront.explain.page import STYLE
from keyfront.explain.times import utc
from keyfront.explain.wording import clean

_MORE_STYLE: Final = """
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .75rem; margin: 1.2rem 0; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .7rem .9rem; }
.tile b { display: block; font-size: 1.45rem; line-height: 1.2; } .tile span { color: var(--dim); font-size: .85rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; padding: .4rem .8rem .4rem 0; border-top: 1px solid var(--line); vertical-align: top; }
th { color: var(--dim); font-weight: 500; border-top: 0; white-space: nowrap; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; } td { overflow-wrap: anywhere; min-width: 4rem; }
svg { display: block; width: 100%; height: auto; } svg text { font: 11px system-ui, sans-serif; fill: var(--dim); }
svg .a { fill: var(--good); } svg .r { fill: var(--bad); } svg .s { stroke: var(--link); fill: none; stroke-width: 2; }
svg .g { stroke: var(--line); } .legend { color: var(--dim); font-size: .85rem; margin: .3rem 0 0; }
.legend i { display: inline-block; width: .8em; height: .8em; border-radius: .2em; margin: 0 .3em 0 .9em; }
.legend i:first-child { margin-left: 0; } i.a { background: var(--good); } i.r { background: var(--bad); }
@media (max-width: 36rem) { svg text { font-size: 20px; } thead { display: none; } tr { display: block;
  border-top: 1px solid var(--line); padding: .5rem 0; } td, td.n { display: grid; grid-template-columns: 8rem 1fr;
  border: 0; padding: .15rem 0; text-align: left; } td::before { content: attr(data-title); color: var(--dim); } }
article p { margin: .3rem 0; } .todo { color: var(--dim); }
"""


def page(logs: AccessLogs, sources: Sequence[str], *, full_addresses: bool) -> str:
    """Return the page's HTML."""
    parts = [
        "<h1>Access logs: keys, refusals and shared links</h1>",
        f"<p>{_text(', '.join(sources))}<br>{_span(logs)}</p>",
        _tiles(logs),
        "<h2>What deserves a look</h2>",
        _notices(logs),
        "<h2>Requests over time</h2>",
        _over_time(logs),
        "<h2>Keys</h2>",
        _keys(logs.key_verdicts, logs.now, has_cookies=logs.has_cookies),
        "<h2>Why viewers were refused</h2>",
        *(_reason(each) for each in logs.reasons),
        "" if logs.reasons else "<p>Nobody was refused.</p>",
        "<h2>Shared links</h2>",
        _sharing(logs.sharing, full_addresses=full_addresses),
        "<h2>What was read</h2>",
        _reading(logs.count),
        f"<footer>{_contains(full_addresses=full_addresses)} Made by keyfront logs.</footer>",
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="robots" content="noindex"><meta name="referrer" content="no-referrer">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>Access logs</title><style>{STYLE}{_MORE_STYLE}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def _span(logs: AccessLogs) -> str:
    if logs.span is None:
        return "No request in this time."
    first, last = logs.span
    return f"From {utc(first)} to {utc(last)}"


def _tiles(logs: AccessLogs) -> str:
    requests = sum(each[1] for each in logs.hours)
    signed = sum(each[2] for each in logs.hours)
    sent = sum(each[5] for each in logs.hours)
    tiles = [
        (f"{requests:,}", "requests"),
        (f"{signed:,}", "with a key-pair id"),
        (f"{total(logs.reasons):,}", "refused"),
        (f"{len(logs.sharing.shared):,}", "shared links"),
        (size(sent), "sent"),
    ]
    return f'<div class="tiles">{"".join(f"<div class=tile><b>{a}</b><span>{b}</span></div>" for a, b in tiles)}</div>'


def _notices(logs: AccessLogs) -> str:
    if not logs.notices:
        return "<p>Nothing. An ordinary day.</p>"
    return "".join(
        f'<article><header><h3>{_text(each.text)}</h3><span class="id">{each.id}</span></header>'
        f'<p class="todo">{_text(each.todo)}</p></article>'
        for each in logs.notices
    )


def _over_time(logs: AccessLogs) -> str:
    hours = [(each[0], each[3], each[4]) for each in logs.hours]
    if not hours:
        return "<p>No requests.</p>"
    return f'<div class="box">{bars(hours)}<p class="legend"><i class="a"></i>allowed<i class="r"></i>refused</p></div>'


def _keys(verdicts: Iterable[KeyVerdict], now: int, *, has_cookies: bool) -> str:
    rows = [
        (
            f"<code>{_text(each.key_pair_id)}</code>{f'<br>{_text(each.name)}' if each.name else ''}",
            f"{sum(use.requests for use in each.uses):,}",
            f"{sum(use.refused for use in each.uses):,}",
            utc(each.last_seen) if each.last_seen else "never",
            each.safe(now),
            _text(each.because),
        )
        for each in verdicts
    ]
    if not rows:
        return "<p>No request named a key.</p>"
    note = "" if has_cookies else '<p class="todo">The log has no cookies: uses of signed cookies are not in it.</p>'
    titles = ("key-pair id", "requests", "refused", "last seen", "safe to remove", "because")
    return _table(titles, rows, numbers=(1, 2)) + note


def _reason(reason: Reason) -> str:
    links = f", with {reason.links:,} signatures" if reason.links else ""
    found = "".join(
        f"<li>{_text(each.title)} <span class=id>{each.id}</span><br><span class=todo>{_text(each.fix)}</span></li>"
        for each in reason.findings
    )
    tops = "".join(
        f"<dt>{title}</dt><dd>{', '.join(f'{_text(top.value[:120])} ({top.requests:,})' for top in values[:5])}</dd>"
        for title, values in (
            ("Paths", reason.paths),
            ("Keys", reason.keys),
            ("Networks", reason.from_networks),
            ("Programs", reason.agents),
            ("Referrers", reason.referrers),
        )
        if values
    )
    plot = f'<div class="box">{lines(reason.hours)}</div>' if len(reason.hours) > 1 else ""
    sample = f"<dt>A URL</dt><dd><code>{_text(reason.sample)}</code></dd>" if reason.sample else ""
    return (
        f'<article><header><h3>{_text(reason.words)}</h3><span class="id">{reason.id}</span></header>'
        f"<p>{reason.requests:,} requests{links}, from {reason.networks:,} networks.</p>"
        f"{f'<ul>{found}</ul>' if found else ''}{plot}<dl>{tops}{sample}</dl></article>"
    )


def _sharing(sharing: Sharing, *, full_addresses: bool) -> str:
    unit = "addresses" if full_addresses else "networks"
    rows = [
        (
            f"<code>{each.link}</code>",
            _text(each.path),
            f"{each.networks:,}",
            f"{each.networks_in_an_hour:,}",
            f"{each.requests:,}",
            size(each.bytes),
            f"{each.surprise:.1f}",
        )
        for each in sharing.shared
    ]
    titles = ("signature", "path", unit, "in an hour", "requests", "sent", "surprise")
    shared = _table(titles, rows, numbers=(2, 3, 4, 5, 6)) if rows else "<p>No signature was used by many.</p>"
    lives = sharing.lives
    stopped = [
        ("a life of 1 hour after the first use", lives.after_1_hour),
        ("a life of 6 hours", lives.after_6_hours),
        ("a life of a day", lives.after_1_day),
        ("the first viewer's network in the policy", lives.from_other_networks),
    ]
    what_if = _table(
        ("this", "would have stopped"), [(text, f"{number:,} of {lives.requests:,}") for text, number in stopped], (1,)
    )
    hot = "".join(
        f"<li>{_text(each.referrer)}: {each.networks:,} {unit}, {each.links:,} links</li>" for each in sharing.hot
    )
    late = (
        f"<p>{lives.past_expiry:,} downloads ended after their links' expiry: they began before it.</p>"
        if lives.past_expiry
        else ""
    )
    return f"{shared}{f'<h3>Sites with hot links</h3><ul>{hot}</ul>' if hot else ''}<br>{what_if}{late}"


def _reading(count: Count) -> str:
    told = [f"{count.rows:,} rows in {count.files:,} files ({size(count.bytes)}).", *notes(count)]
    return f"<ul>{''.join(f'<li>{_text(each)}</li>' for each in told)}</ul>"


def notes(count: Count) -> list[str]:
    """Return what a reader must know about the reading: broken rows, files left out, and the like."""
    found = []
    if count.stopped:
        found.append("Stopped by Ctrl-C: the answers are about the part that was read until then.")
    if count.broken:
        samples = "; ".join(" ".join(f"{name}: {row}".split()) for name, row in count.samples)
        rows = "1 broken row does not" if count.broken == 1 else f"{count.broken:,} broken rows do not"
        found.append(f"{rows} count, such as {samples}")
    found += [
        f"{name} ends too early: it is still being written, or was cut off. Its rows count." for name in count.cut
    ]
    found += [f"{name} was not read: {reason}." for name, reason in count.unread[:20]]
    if len(count.unread) > 20:
        found.append(f"{len(count.unread) - 20:,} more files were not read.")
    if count.skipped_files:
        found.append(f"{count.skipped_files:,} files of other times were left out by their names.")
    return found


def _contains(*, full_addresses: bool) -> str:
    viewers = (
        "addresses of viewers" if full_addresses else "networks of viewers (/24 and /48), and no address of theirs"
    )
    return f"This page contains {viewers}, paths, programs and referrers. It contains no signature."


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] = ()) -> str:
    kinds = [" class=n" if number in numbers else "" for number in range(len(titles))]
    head = "".join(f"<th{kind}>{title}</th>" for kind, title in zip(kinds, titles, strict=True))
    # On a phone each cell is a line, with its column's title before it.
    body = "".join(
        "<tr>"
        + "".join(
            f'<td{kind} data-title="{title}"><span>{text}</span></td>'
            for kind, title, text in zip(kinds, titles, row, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def size(number: float) -> str:
    """Return a number of bytes for a person, such as 1.2 GB."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "bytes" or number >= 100 else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:,.1f} TB"


def _text(text: str) -> str:
    return escape(clean(text))
