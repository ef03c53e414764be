# mypy: disable-error-code="import-untyped"
"""The proof that DuckDB and Spark agree on a million rows: `make proof-logs` compares every cell of every view.

CI does the same for a thousand rows (`tests/test_spark.py`). Most rows are a usual day's; 2,000 are odd ones.
"""

import gzip
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.logs import write_day
from pyspark.sql import SparkSession
from tests.account.logs.answers import answers_of_duckdb, answers_of_spark, odd_rows
from tests.account.logs.days import Log

from keyfront.account.logs.dialect import PORTABLE
from keyfront.edge.observation.log_fields import FIELDS

_ODD = 2_000


def write(folder: Path, rows: int) -> Path:
    """Write a log of so many rows, and return its path."""
    odd = Log()
    odd_rows(odd, min(_ODD, rows))
    path = odd.write(folder)
    days = folder / "day"
    days.mkdir()
    write_day(days, rows - len(odd.rows), FIELDS)
    with gzip.open(path, "ab", compresslevel=1) as file:
        for hour in sorted(days.iterdir()):
            with gzip.open(hour) as part:
                file.writelines(part.readlines()[2:])
    return path


def main(rows: int) -> int:
    """Compare the answers, and return 1 if a cell differs."""
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    builder = SparkSession.builder.master("local[2]").appName("keyfront")
    for name, value in {
        "spark.ui.enabled": "false",
        "spark.driver.memory": "4g",
        "spark.driver.maxResultSize": "0",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.session.timeZone": "America/New_York",
    }.items():
        builder = builder.config(name, value)
    with TemporaryDirectory(prefix="keyfront-") as folder:
        path = write(Path(folder), rows)
        session = builder.getOrCreate()
        session.sparkContext.setLogLevel("ERROR")
        duckdb, spark = answers_of_duckdb(path), answers_of_spark(session, path)
        session.stop()
    differ = 0
    for name in PORTABLE:
        wrong = sum(ours != theirs for ours, theirs in zip(duckdb[name], spark[name], strict=False))
        wrong += abs(len(duckdb[name]) - len(spark[name]))
        print(f"{name:10} {len(duckdb[name]):>9,} rows of DuckDB, {wrong} differ")
        differ += wrong
    return int(differ > 0)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
