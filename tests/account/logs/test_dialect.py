"""The views in the dialects of other engines."""

from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from keyfront.account.logs.dialect import PORTABLE, QUESTIONS, athena_query, query, statements

ROOT = Path(__file__).parents[3]
QUERIES = ROOT / "terraform" / "modules" / "log-queries" / "queries"
OURS = {"first_group", "has_match", "seconds_of", "sha256_hex", "base64_text"}


@pytest.mark.parametrize("engine", ["athena", "spark"])
@pytest.mark.parametrize("view", PORTABLE)
def test_every_view_is_the_engines_own_sql(view: str, engine: str) -> None:
    text = query(view, engine)  # type: ignore[arg-type]
    tree = sqlglot.parse_one(text, read=engine, error_level=sqlglot.ErrorLevel.RAISE)
    called = {each.name.lower() for each in tree.find_all(exp.Anonymous)}
    assert not called & OURS
    # The columns keep their names and their order.
    mine = sqlglot.parse_one((ROOT / f"src/keyfront/account/logs/sql/{view}.sql").read_text(), read="duckdb")
    assert isinstance(tree, exp.Select)
    assert isinstance(mine, exp.Select)
    assert tree.named_selects == mine.named_selects


def test_duckdbs_statements_make_the_views_in_duckdb() -> None:
    import duckdb

    from keyfront.account.logs.reading import COLUMNS

    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE logs ({', '.join(f'{chr(34)}{name}{chr(34)} VARCHAR' for name in COLUMNS)})")
    for statement in statements("duckdb"):
        connection.execute(statement)
    for view in PORTABLE:
        connection.execute(f"SELECT * FROM {view}")


@pytest.mark.large
@pytest.mark.parametrize("question", QUESTIONS)
def test_athenas_query_is_one_query_over_the_table(question: str) -> None:
    made = athena_query(question)
    assert made == (QUERIES / f"{question}.sql").read_text(), "run python tools/log_queries.py --write"
    text = made.replace("${table}", '"db"."files"').replace("${where}", "day >= '2030/01/01'")
    tree = sqlglot.parse_one(text, read="athena", error_level=sqlglot.ErrorLevel.RAISE)
    defined = {each.alias for each in tree.find_all(exp.CTE)}
    tables = {each.name for each in tree.find_all(exp.Table)}
    assert tables - defined == {"files"}
