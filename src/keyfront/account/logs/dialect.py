"""The views in the dialects of Athena (Trino) and Spark.

The views call a few functions that each engine has under another name: `functions.ENGINE.sql` defines them. DuckDB
takes the definitions as macros. For the others, each call is replaced by its definition, and sqlglot translates the
rest.
"""

import re
from functools import cache
from typing import Final, Literal

import sqlglot
from sqlglot import exp

from keyfront.account.logs.engine import VIEWS, sql
from keyfront.account.logs.reading import COLUMNS

Dialect = Literal["duckdb", "athena", "spark"]
_MACRO: Final = re.compile(r"CREATE MACRO (\w+)\(([^)]*)\) AS (.*?);\s*$", re.MULTILINE)
PORTABLE: Final = ("requests", *(name for name in VIEWS if name != "refused"))
"""The views that every engine has. `refused` needs the judge, which is Python."""


def statements(engine: Dialect) -> list[str]:
    """Return the statements that create the views over a table `logs`, in their order."""
    if engine == "duckdb":
        functions = [each.strip() for each in re.findall(r"^CREATE MACRO .*?;$", sql("functions.duckdb"), re.MULTILINE)]
        return [each.rstrip(";") for each in functions] + [
            f"CREATE VIEW {name} AS\n{sql(name).strip()}" for name in PORTABLE
        ]
    return [f"CREATE OR REPLACE VIEW {name} AS\n{query(name, engine)}" for name in PORTABLE]


def query(view: str, engine: Literal["athena", "spark"]) -> str:
    """Return a view's query in an engine's dialect."""
    tree = sqlglot.parse_one(sql(view), read="duckdb")
    known = _functions(engine)

    def expand(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Anonymous) and node.name.lower() in known:
            names, body = known[node.name.lower()]
            given = dict(zip(names, node.expressions, strict=True))
            # Only columns without a table can be a parameter.
            expanded: exp.Expr = body.copy().transform(
                lambda each: given[each.name].copy() if isinstance(each, exp.Column) and each.name in given else each
            )
            return expanded
        return node

    whole = tree.transform(expand)
    while any(isinstance(each, exp.Anonymous) and each.name.lower() in known for each in whole.find_all(exp.Anonymous)):
        whole = whole.transform(expand)
    return whole.sql(dialect=engine, pretty=True, comments=False)


@cache
def _functions(engine: Literal["athena", "spark"]) -> dict[str, tuple[tuple[str, ...], exp.Expr]]:
    return {
        name: (tuple(each.strip() for each in parameters.split(",")), sqlglot.parse_one(body, read=engine))
        for name, parameters, body in _MACRO.findall(sql(f"functions.{engine}"))
    }


_NEEDS: Final = {
    "keys": ("requests",),
    "hours": ("requests",),
    "visits": ("requests",),
    "links": ("requests", "visits"),
    "lives": ("requests", "visits"),
    "referrers": ("requests", "visits"),
}
"""The views that each view reads, directly and through others."""
QUESTIONS: Final = ("keys", "hours", "links", "lives", "referrers")


def athena_query(view: str) -> str:
    """Return one query for Athena that answers a question without any view.

    `${table}` is the table of the log's files, and `${where}` the condition on its partitions: Terraform fills them in.
    """
    columns = ", ".join(_athena_column(name) for name in COLUMNS)
    parts = [f"logs AS (\n  SELECT {columns}\n  FROM ${{table}}\n  WHERE ${{where}}\n)"]  # noqa: S608
    parts += [f"{name} AS (\n{query(name, 'athena')}\n)" for name in _NEEDS[view]]
    return f"WITH {', '.join(parts)}\n{query(view, 'athena')}\n"


def _athena_column(name: str) -> str:
    return '"$path" AS file' if name == "file" else f'"{name}"'
