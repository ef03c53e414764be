# mypy: disable-error-code="import-untyped"
"""The answers of DuckDB and of Spark about the same log, also for rows that nobody would write."""

import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.account.logs.days import NOON, Log, sign

from keyfront.account.logs.dialect import PORTABLE
from keyfront.account.logs.engine import opened, sql
from keyfront.account.logs.formats import shape_of
from keyfront.account.logs.reading import select
from keyfront.account.logs.spark import create_views, read_files

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

PIECES = (
    *(
        "Expires=",
        "1900000000",
        "99999999999",
        "-1",
        "Policy=",
        "eyJTdGF0ZW1lbnQiOlt7fV19",
        "eyJ_",
        "w6nDqQ__",
        "====",
        "&",
    ),
    *(
        "Signature=",
        "abc~-_",
        "%7E",
        "%7e",
        "%257E",
        "hidden-0123456789abcdef",
        "Key-Pair-Id=",
        "K1",
        "",
        "Ä",
        "Hash-Algorithm=",
    ),
    *("SHA256", "SHA512", "%25", "%", "%20", "'", "\\", "$", "?", ";", "CloudFront-Policy="),
)


def odd_rows(log: Log, number: int) -> None:
    """Rows of random pieces, with IPv6, policies of every kind, and broken values."""
    chance, links = random.Random(11), [sign(f"/a/{each}", NOON + 3600) for each in range(7)]
    for each in range(number):
        log.add(links[each % 7], NOON + each, chance.choice((200, 206, 304, 403, 404, 0)))
        row = log.rows.pop().rstrip("\n").split("\t")
        row[4] = chance.choice(("2001:db8::1", "::1", "2001:DB8:1:2:3:4:5:6", "192.0.2.1", "x", "-", "1.2.3"))
        row[9] = chance.choice(("-", "https://a.example/x?y", "http://", "HTTPS://B.example", "ftp://x"))
        row[chance.choice((0, 1, 3, 8, 18))] = chance.choice(
            ("-", "", "2030-13-01", "25:00:00", "12:00", "1e3", "0.5", "12")
        )
        row[11] = "".join(chance.choices(PIECES, k=chance.randint(0, 9))) or "-"
        row[12] = chance.choice(("-", "", "CloudFront-" + "".join(chance.choices(PIECES, k=6))))
        log.rows.append("\t".join(row) + "\n")


def answers_of_duckdb(path: Path) -> dict[str, list[Any]]:
    with opened() as engine:
        engine.rows(f"CREATE TABLE logs AS {select(shape_of(path), [path])}")
        found = {}
        for name in PORTABLE:
            engine.rows(f"CREATE VIEW {name} AS {sql(name)}")
            columns = [str(row[0]) for row in engine.rows(f"DESCRIBE {name}") if row[0] != "file"]
            found[name] = in_order(engine.rows(f"SELECT {', '.join(map(quoted, columns))} FROM {name}"))
        return found


def answers_of_spark(session: "SparkSession", path: Path) -> dict[str, list[Any]]:
    create_views(session, read_files(session, str(path)))
    session.catalog.cacheTable("requests")
    session.catalog.cacheTable("visits")
    return {name: in_order([tuple(row) for row in session.table(name).drop("file").collect()]) for name in PORTABLE}


def in_order(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted(rows, key=lambda row: [(each is None, str(each)) for each in row])


def quoted(name: str) -> str:
    return f'"{name}"'
