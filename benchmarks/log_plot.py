"""Draws `logs.svg` from the table of `python -m benchmarks --only logs --json`: CPU time by rows, a plot for a peer."""

import json
import re
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from benchmarks.plots import Plot, drawing

_OUT: Final = Path(__file__).parent / "logs.svg"


def main(arguments: Sequence[str]) -> int:
    """Read the table's file, and write the plots."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m benchmarks.log_plot FILE\n")
        return 2
    _OUT.write_text(drawing(plots(json.loads(Path(arguments[0]).read_text("utf-8")))), "utf-8")
    return 0


def plots(table: Sequence[Mapping[str, object]]) -> list[Plot]:
    """Return a plot for each peer that read more than one number of rows."""
    points: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for row in table:
        found = re.fullmatch(r"(.+), ([0-9,]+) rows", str(row["name"]))
        figure = row["figure"]
        if found and row["unit"] == "rows/s" and isinstance(figure, int | float):
            rows = int(found[2].replace(",", ""))
            points[found[1]].append((rows / 1000, rows / figure))
    return [Plot(peer, "thousands of rows", "seconds of CPU", each) for peer, each in points.items() if len(each) > 1]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
