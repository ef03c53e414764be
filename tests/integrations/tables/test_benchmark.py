"""`make bench` measures tables; how fast they are, no test asks."""

import json
import subprocess
import sys
from pathlib import Path


def test_the_tables_benchmark_has_rates_and_memory() -> None:
    command = [sys.executable, "-m", "benchmarks", "--only", "tables", "--seconds", "0.02", "--rounds", "1", "--json"]
    root = Path(__file__).parent.parent.parent.parent
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    rows = json.loads(done.stdout)
    assert [(row["name"].partition(",")[0], row["unit"]) for row in rows] == [
        ("raw cryptography", "/s"),
        ("keyfront sign-table", "/s"),
        ("raw cryptography", "/s of CPU"),
        ("keyfront sign-table", "/s of CPU"),
        ("keyfront sign-table", "MB"),
    ]
    assert all(row["figure"] > 0 for row in rows)
    assert 0 < rows[3]["ratio"] < 1
