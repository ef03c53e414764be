"""The table that a run prints."""

from collections.abc import Iterable

from benchmarks.contest import Row


def as_text(rows: Iterable[Row]) -> str:
    """Return the rows as lines in columns, with a heading for each section."""
    lines: list[tuple[str, str, str, str]] = []
    section = ""
    for row in rows:
        if row.section != section:
            section = row.section
            lines += [("", "", "", ""), (section, "", "", "")]
        name = f"  {row.name}"
        if row.figure is None:
            lines.append((name, f"not here: {row.missing}", "", ""))
            continue
        ratio = "" if row.ratio is None or row.against == row.name else f"{row.ratio:.2f} of {row.against}"
        lines.append((name, f"{_number(row.figure)} {row.unit}", ratio, _aim(row)))
    full = [line for line in lines if not line[1].startswith("not here")]
    widths = [max(len(line[column]) for line in full or lines) for column in range(4)]
    return "\n".join(_line(line, widths) for line in lines[1:])


def as_objects(rows: Iterable[Row]) -> list[dict[str, object]]:
    """Return the rows for JSON: one object for each, with the values in the table."""
    return [
        {
            "section": row.section,
            "name": row.name,
            "figure": row.figure,
            "unit": row.unit,
            "against": row.against,
            "ratio": row.ratio,
            "aim": _aim(row) or None,
            "met": row.aim.met(row.figure, row.ratio) if row.aim and row.figure is not None else None,
            "missing": row.missing,
        }
        for row in rows
    ]


def _line(cells: tuple[str, str, str, str], widths: list[int]) -> str:
    name, figure, ratio, aim = cells
    if figure.startswith("not here"):
        return f"{name:<{widths[0]}}  {figure}"
    return f"{name:<{widths[0]}}  {figure:>{widths[1]}}  {ratio:<{widths[2]}}  {aim}".rstrip()


def _number(figure: float) -> str:
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.1f}" if figure >= 10 else f"{figure:.3f}"


def _aim(row: Row) -> str:
    if row.aim is None or row.figure is None:
        return ""
    sign = "<=" if row.aim.at_most else ">="
    limit = f"{row.aim.limit:,.0f}" if row.aim.limit >= 100 else f"{row.aim.limit:.2f}"
    return f"aim {sign} {limit}: {'met' if row.aim.met(row.figure, row.ratio) else 'missed'}"
