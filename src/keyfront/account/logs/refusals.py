"""Why viewers were refused: refused requests, judged again from the log, by their reasons."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from keyfront.account.logs.engine import Engine, sql
from keyfront.account.logs.judging import NOT_SIGNED, WORDS, Logged, LogJudge, decoded
from keyfront.core.encoding import decode
from keyfront.errors import EncodingError
from keyfront.explain import Finding, hiding

COLUMNS: Final = (
    *("hour", "taken", "distribution", "host", "path", "address", "network", "agent", "referrer", "credentials"),
    *("key_pair_id", "expires", "starts", "link", "maybe_refused", "allowed", "scheme", "query", "cookie"),
)
_MOST_SAMPLES: Final = 3
_LOGGED: Final = 'distribution, scheme, host, path, query, cookie, address, "at", taken'


@dataclass(frozen=True, slots=True)
class Top:
    """A frequent value, and how often it occurred."""

    value: str
    requests: int


@dataclass(frozen=True, slots=True)
class Reason:
    """All requests that were refused for one reason. Times are seconds since the epoch."""

    id: str
    words: str
    findings: tuple[Finding, ...]
    """What `explain` finds in samples of them."""
    requests: int
    links: int
    """How many signatures they came with."""
    networks: int
    first_seen: int
    last_seen: int
    paths: tuple[Top, ...]
    referrers: tuple[Top, ...]
    agents: tuple[Top, ...]
    from_networks: tuple[Top, ...]
    keys: tuple[Top, ...]
    hours: tuple[tuple[int, int], ...]
    """Each hour, and how many were refused in it."""
    sample: str
    """A URL with its signature hidden."""
    by_cookie: int
    near_start: int
    """Requests up to ten minutes before their links became valid."""


def judge_refusals(engine: Engine, judge: LogJudge) -> None:
    """Make the table `refusals`: what was not allowed, each with its reason."""
    from duckdb.func import SPECIAL
    from duckdb.sqltypes import BIGINT, DOUBLE, VARCHAR

    engine.connection.create_function(
        "judged", judge.reason, [*[VARCHAR] * 7, BIGINT, DOUBLE], VARCHAR, null_handling=SPECIAL
    )
    engine.rows(f"CREATE TABLE refusals AS SELECT *, judged({_LOGGED}) AS reason FROM requests WHERE maybe_refused")  # noqa: S608
    engine.rows(f"CREATE VIEW refused AS {sql('refused')}")


def reasons(engine: Engine, judge: LogJudge, *, most: int = 10, full_addresses: bool = False) -> list[Reason]:
    """Return the reasons, the most frequent first, each with its `most` frequent paths, agents and so on."""
    found = engine.rows(
        'SELECT reason, count(*), count(DISTINCT link), count(DISTINCT network), min("at"), max("at"), '
        'count(*) FILTER (credentials = \'cookie\'), count(*) FILTER (starts >= "at" AND starts - "at" <= 600) '
        "FROM refusals GROUP BY reason ORDER BY 2 DESC, 1"
    )
    return [_reason(engine, judge, row, most, full_addresses=full_addresses) for row in found]


def _reason(engine: Engine, judge: LogJudge, row: tuple[object, ...], most: int, *, full_addresses: bool) -> Reason:
    reason, requests, links, networks, first, last, by_cookie, near_start = row
    samples = [
        _logged(each)
        for each in engine.rows(
            f'SELECT {_LOGGED} FROM refusals WHERE reason = ? ORDER BY "at", path, link LIMIT {_MOST_SAMPLES}',  # noqa: S608
            [reason],
        )
    ]
    findings = {each.id: each for sample in samples for each in judge.findings(sample)}
    return Reason(
        id=str(reason),
        words=WORDS[str(reason)],
        findings=tuple(findings.values())[:3],
        requests=_int(requests),
        links=_int(links),
        networks=_int(networks),
        first_seen=_int(first),
        last_seen=_int(last),
        paths=_top(engine, "path", reason, most),
        referrers=_top(engine, "referrer", reason, most),
        agents=_top(engine, "agent", reason, most),
        from_networks=_top(engine, "network", reason, most),
        keys=_top(engine, "key_pair_id", reason, most),
        hours=tuple(
            (_int(hour), _int(number))
            for hour, number in engine.rows(
                'SELECT "hour", count(*) FROM refusals WHERE reason = ? GROUP BY 1 ORDER BY 1', [reason]
            )
        ),
        sample=shown(samples[0], full_addresses=full_addresses) if samples else "",
        by_cookie=_int(by_cookie),
        near_start=_int(near_start),
    )


def refused_with(engine: Engine, key_pair_id: str, most: int) -> list[tuple[Logged, int | None]]:
    """Return refused requests that name a key, the latest ones, and the expiry of each."""
    rows = engine.rows(
        f"SELECT {_LOGGED}, expires FROM requests WHERE maybe_refused AND key_pair_id = ? "  # noqa: S608
        f'ORDER BY "at" DESC, path, link LIMIT {most}',
        [key_pair_id],
    )
    return [(_logged(row), row[9] if isinstance(row[9], int) else None) for row in rows]


def _logged(row: tuple[object, ...]) -> Logged:
    distribution, scheme, host, path, query, cookie, address = (str(value or "") for value in row[:7])
    taken = row[8] if isinstance(row[8], float) else 0.0
    return Logged(distribution, scheme, host, path, query, cookie, address, _int(row[7]), taken)


def _top(engine: Engine, name: str, reason: object, most: int) -> tuple[Top, ...]:
    rows = engine.rows(
        f"SELECT {name}, count(*) FROM refusals WHERE reason = ? AND coalesce({name}, '') <> '' "  # noqa: S608
        f"GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {most}",
        [reason],
    )
    return tuple(Top(decoded(str(value)), _int(number)) for value, number in rows)


def shown(logged: Logged, *, full_addresses: bool = False) -> str:
    """Return the URL of a request, ready for `explain`, without its signature and the values of other parameters.

    A policy that names an address is hidden too, unless `full_addresses`: the address is a viewer's.
    """
    base, mark, query = logged.request.url.partition("?")
    parts = []
    for part in query.split("&") if mark else ():
        name, equals, value = part.partition("=")
        kept = name in ("Expires", "Key-Pair-Id", "Hash-Algorithm")
        if name == "Policy":
            kept = full_addresses or not _names_address(value)
        parts.append(part if kept or not equals else f"{name}={'hidden' if name == 'Signature' else hiding.HIDDEN}")
    return base + mark + "&".join(parts)


def _names_address(policy: str) -> bool:
    try:
        return b"IpAddress" in decode(decoded(policy))
    except EncodingError:
        return True  # It cannot be read, so it may hold anything.


def unsigned_viewers_with_cookies(engine: Engine) -> int:
    """Return how many requests came unsigned from viewers that sent signed cookies for other paths.

    A viewer is a network and a program. It needs logs with cookies.
    """
    ((number,),) = engine.rows(
        "SELECT count(*) FROM refusals WHERE reason = ? AND (network, agent) IN "
        "(SELECT (network, agent) FROM requests WHERE credentials = 'cookie' AND allowed)",
        [NOT_SIGNED],
    )
    return _int(number)


def total(found: Iterable[Reason]) -> int:
    """Return how many requests were refused altogether."""
    return sum(each.requests for each in found)


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0
