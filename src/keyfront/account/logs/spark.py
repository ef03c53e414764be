# mypy: disable-error-code="import-untyped"
"""The same views on Spark, for logs that one machine cannot read."""

from typing import TYPE_CHECKING

from keyfront.account.logs.dialect import PORTABLE, query
from keyfront.account.logs.formats import column
from keyfront.account.logs.reading import COLUMNS
from keyfront.errors import InputError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def read_files(session: "SparkSession", path: str) -> "DataFrame":
    """Return standard logs in W3C's format as the table `logs`: texts, in the columns that the views read.

    `path` is what Spark reads: a file, a folder or a pattern. Rows with another number of columns are left out: compare
    with `keyfront logs`, which counts them. Raises `InputError` if the files have no #Fields line.
    """
    from pyspark.sql import functions as f

    lines = session.read.text(path).withColumn("file", f.input_file_name())
    head = lines.where(f.col("value").startswith("#Fields:")).select("value").first()
    if head is None:
        raise InputError(f"{path} has no #Fields line, so it is not a standard log")
    names = [column(each) for each in head["value"][8:].split()]
    cells = f.split(f.col("value"), "\t", -1)
    whole = lines.where(~f.col("value").startswith("#") & (f.size(cells) == len(names)))
    values = [
        f.col("file")
        if name == "file"
        # `get` gives null for what is not there: Spark may look into a row before it is left out.
        else (f.get(cells, names.index(name)) if name in names else f.lit(None).cast("string")).alias(name)
        for name in COLUMNS
    ]
    return whole.select(*values)


def create_views(session: "SparkSession", logs: "DataFrame") -> None:
    """Make the views of `keyfront logs` over `logs`, for this session: `requests`, `keys`, `links` and others."""
    logs.createOrReplaceTempView("logs")
    for name in PORTABLE:
        session.sql(query(name, "spark")).createOrReplaceTempView(name)
