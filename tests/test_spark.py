# mypy: disable-error-code="import-untyped"
"""All that runs on Spark, in one session on this machine: the signing of tables, and the views of logs."""

import base64
import gc
import gzip
import pickle
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from tests import needs
from tests.account.logs.answers import answers_of_duckdb, answers_of_spark, odd_rows
from tests.account.logs.days import CASES, DOMAIN, Log, clean_day
from tests.keys import shared_rsa

from keyfront import Signer, SigningKey, SigningWarning
from keyfront.account.logs.dialect import PORTABLE
from keyfront.account.logs.spark import read_files
from keyfront.errors import InputError, ServiceError
from keyfront.integrations.tables import TableTerms, sign_batch
from keyfront.integrations.tables.spark import BatchSigner, _opened, sign_dataframe
from keyfront.keystore import SignerDocument, open_writable

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

# PySpark leaves its sockets to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning")

ID = "K2JCJMDEHXQW5F"
SITE = "https://d111111abcdef8.cloudfront.net"
TERMS = TableTerms(url_column="url", expires=int(time.time()) + 3600)
ROWS = [(n, f"{SITE}/{n}" if n % 10 else f"no/{n}") for n in range(200)]


@pytest.fixture(scope="module")
def session(java: Path) -> Iterator["SparkSession"]:
    try:
        from pyspark import SparkContext
        from pyspark.sql import SparkSession
    except ModuleNotFoundError:
        needs.skip("pyspark is not installed", "make .venv/spark")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        options = {
            "spark.ui.enabled": "false",
            "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
            "spark.default.parallelism": "2",
            "spark.sql.shuffle.partitions": "1",
            # Compiling or adapting a plan takes longer than running it for so few rows.
            "spark.sql.codegen.wholeStage": "false",
            "spark.sql.codegen.factoryMode": "NO_CODEGEN",
            "spark.sql.adaptive.enabled": "false",
            "spark.sql.constraintPropagation.enabled": "false",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.host": "127.0.0.1",
            "spark.sql.execution.arrow.maxRecordsPerBatch": "50",
            "spark.sql.session.timeZone": "America/New_York",
        }
        builder = SparkSession.builder.master("local[1]").appName("keyfront")
        for name, value in options.items():
            builder = builder.config(name, value)
        spark = builder.getOrCreate()
        spark.sparkContext.setLogLevel("OFF")
        yield spark
        gateway: Any = spark.sparkContext._gateway
        spark.stop()
        # Java would stay until this process ends, and what is left of its sockets would be another test's warning.
        gateway.shutdown()
        gateway.proc.stdin.close()
        gateway.proc.wait(30)
        SparkContext._gateway = SparkContext._jvm = None
        gc.collect()


@pytest.fixture(scope="module")
def rsa(tmp_path_factory: pytest.TempPathFactory) -> tuple[SigningKey, Path]:
    """A key whose signatures are always the same, and its file."""
    made = shared_rsa()
    return made, made.write(tmp_path_factory.mktemp("rsa"))[0]


def plan(frame: "DataFrame") -> tuple[str, bytes]:
    """What Spark sends to its executors: the plan, and the pickled function in it."""
    analyzed = frame._jdf.queryExecution().optimizedPlan()
    command = analyzed.functionExpr().func().command()
    return analyzed.toString(), bytes(command.apply(at) & 255 for at in range(command.size()))


def test_spark_gives_what_one_machine_gives(session: "SparkSession", rsa: tuple[SigningKey, Path]) -> None:
    key, file = rsa
    frame = session.createDataFrame(ROWS, ["id", "url"])
    signed = sign_dataframe(frame, f"file:{file}", TERMS, key_pair_id=ID)
    assert signed.columns == ["id", "url", "signed_url", "reason"]
    made = [row.asDict() for row in signed.orderBy("id").collect()]
    here = sign_batch(
        pa.RecordBatch.from_pydict({"id": [row[0] for row in ROWS], "url": [row[1] for row in ROWS]}),
        Signer(ID, key),
        TERMS,
    )
    assert made == here.to_pylist()
    rejected = signed.where("reason is not null").select("url", "reason").collect()
    assert len(rejected) == 20
    assert all(row["reason"] == f"'{row['url']}' has no scheme: write https://{row['url']}" for row in rejected)

    # What travelled is the address, and nothing of the key.
    told, function = plan(signed)
    text = "".join(key.pem().splitlines()[1:-1])
    der = base64.b64decode(text)
    assert b"keyfront.integrations.tables.spark" in function
    assert str(file).encode() in function
    assert "PRIVATE KEY" not in told
    assert b"PRIVATE KEY" not in function
    assert not any(text[at : at + 24].encode() in function for at in range(64, len(text) - 24, 24))
    assert not any(der[at : at + 16] in function for at in range(64, len(der) - 16, 16))


def test_what_the_page_shows_runs(session: "SparkSession", rsa: tuple[SigningKey, Path], tmp_path: Path) -> None:
    page = (Path(__file__).parents[1] / "docs" / "tables.md").read_text("utf-8")
    (block,) = (each for each in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "sign_dataframe" in each)
    signer = tmp_path / "signer.json"
    SignerDocument(ID, rsa[0]).save(open_writable(f"file:{signer}"))
    links, signed, rejected = (str(tmp_path / f"{name}.parquet") for name in ("links", "signed", "rejected"))
    session.createDataFrame(ROWS[:20], ["id", "url"]).write.parquet(links)
    for named, here in (
        ("ssm:/shop/signing-key", f"file:{signer}"),
        ('"links.parquet"', repr(links)),
        ('"signed.parquet"', repr(signed)),
        ('"rejected.parquet"', repr(rejected)),
    ):
        assert named in block
        block = block.replace(named, here)
    exec(block, {"spark": session})
    assert session.read.parquet(signed).columns == ["id", "url", "signed_url"]
    assert session.read.parquet(signed).count() == 18
    assert sorted(row["url"] for row in session.read.parquet(rejected).collect()) == ["no/0", "no/10"]


def test_columns_say_it_row_by_row_in_sparks_types(session: "SparkSession", rsa: tuple[SigningKey, Path]) -> None:
    until = int(time.time()) + 7200
    frame = session.createDataFrame([(1, f"{SITE}/1", until, "192.0.2.1")], "n int, url string, at long, ip string")
    timed = frame.selectExpr("n", "url", "timestamp_seconds(at) as until", "ip")
    terms = TableTerms(url_column="url", signed_column="url", expires_column="until", ip_column="ip")
    signed = sign_dataframe(timed, f"file:{rsa[1]}", terms, key_pair_id=ID)
    assert signed.columns == ["n", "url", "until", "ip", "reason"]
    alone = Signer(ID, rsa[0]).sign_url(f"{SITE}/1", expires=until, ip="192.0.2.1")
    (row,) = signed.collect()
    assert (row["url"], row["reason"]) == (alone, None)
    with pytest.raises(InputError, match="without a time zone"):
        sign_dataframe(
            timed.selectExpr("url", "to_timestamp_ntz('2030-01-01') as until"), "file:x", replace(terms, ip_column=None)
        )


def test_terms_and_addresses_that_no_executor_could_use_are_told_at_once(session: "SparkSession") -> None:
    frame = session.createDataFrame(ROWS[:1], ["id", "url"])
    for address, terms, told in (
        ("https://key", TERMS, "address"),
        ("file:key", replace(TERMS, url_column="link"), "there is no column 'link'"),
        ("file:key", replace(TERMS, expires=timedelta(days=8), max_lifetime=timedelta(days=7)), "long-lived"),
        ("file:key", replace(TERMS, expires=1), "looks like a duration"),
    ):
        with pytest.raises(InputError, match=told):
            sign_dataframe(frame, address, terms, key_pair_id=ID)


def test_a_long_life_is_warned_of_where_the_plan_is_made(session: "SparkSession") -> None:
    frame = session.createDataFrame(ROWS[:1], ["id", "url"])
    with pytest.warns(SigningWarning, match="long-lived"):
        sign_dataframe(frame, "file:key", replace(TERMS, expires=timedelta(days=8)), key_pair_id=ID)


def test_the_key_store_is_opened_once_a_process(rsa: tuple[SigningKey, Path]) -> None:
    """Without Spark: its processes call the unpickled function once for every task."""
    _opened.cache_clear()
    batch = pa.RecordBatch.from_pydict({"url": [f"{SITE}/1"]})
    address = f"file:{rsa[1]}"
    made: list[Any] = []
    for _ in range(3):
        mapper = pickle.loads(pickle.dumps(BatchSigner(address, TERMS, ID)))
        made += [each.to_pylist() for each in mapper(iter([batch, batch]))]
    assert made == [[{"url": f"{SITE}/1", "signed_url": made[0][0]["signed_url"], "reason": None}]] * 6
    assert _opened(address, ID).counts.fetches == 1


def test_a_key_that_is_not_there_fails_the_task(tmp_path: Path) -> None:
    batch = pa.RecordBatch.from_pydict({"url": [f"{SITE}/1"]})
    with pytest.raises(ServiceError, match=r"missing\.pem cannot be read"):
        list(BatchSigner(f"file:{tmp_path / 'missing.pem'}", TERMS, ID)([batch]))


def test_duckdb_and_spark_agree_on_every_cell_of_every_view(session: "SparkSession", tmp_path: Path) -> None:
    log = Log()
    clean_day(log)
    for plant, _ in CASES:
        plant(log)
    odd_rows(log, 800)
    path = log.write(tmp_path)
    duckdb, spark = answers_of_duckdb(path), answers_of_spark(session, path)
    assert {name: len(rows) for name, rows in duckdb.items()} == {name: len(rows) for name, rows in spark.items()}
    for name in PORTABLE:
        assert spark[name] == duckdb[name]
    assert len(duckdb["links"]) > 50
    assert {row[0] for row in duckdb["keys"]} >= {"K2JCJMDEHXQW5F", "K1OLDKEY000000"}


def test_files_that_are_no_logs_are_refused(session: "SparkSession", tmp_path: Path) -> None:
    (tmp_path / "x.gz").write_bytes(gzip.compress(f"{DOMAIN}\n".encode()))
    with pytest.raises(InputError, match="no #Fields line"):
        read_files(session, str(tmp_path))
