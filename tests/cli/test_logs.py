"""`keyfront logs` on the command line: its outputs, S3, hostile text, and bad input."""

import gzip
import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from tests.account.logs.days import CASES, DISTRIBUTION, ID, NOON, SITE, Log, clean_day, sign

from keyfront.cli.app import run

Out = pytest.CaptureFixture[str]
EVIL = "<script>alert(1)</script>\x1b[2J=HYPERLINK(1)\u202e"


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A day with every planted case."""
    log = Log()
    clean_day(log)
    for plant, _ in CASES:
        plant(log)
    return log.write(tmp_path_factory.mktemp("day")).parent


def asked(out: Out, *arguments: str | Path, status: int = 0) -> str:
    assert run(["logs", *map(str, arguments)]) == status
    return out.readouterr().out


def test_keys_refused_and_sharing(day: Path, capsys: Out) -> None:
    text = asked(capsys, "keys", day)
    assert f"{ID}\n" in text
    assert f"{DISTRIBUTION} /books/*" in text
    assert "safe to remove after 2031-05-01 12:00:00 UTC, because: A link that was opened is still valid" in text
    text = asked(capsys, "refused", day)
    assert "× Expired  [expired]" in text
    assert "[clock-is-ahead]" in text or "Not valid yet" in text
    assert "Signature=hidden" in text
    assert "EvilBot/1.0" in text
    text = asked(capsys, "sharing", day)
    assert "/films/1.mp4" in text
    assert "hot links: blog.example" in text


def test_as_json_everything(day: Path, capsys: Out) -> None:
    told: dict[str, Any] = json.loads(asked(capsys, "summary", day, "--json"))
    assert {each["id"] for each in told["notices"]} >= {"link-shared", "expired-links", "bot", "hot-link"}
    (shared, *_) = told["sharing"]["shared"]
    assert (shared["path"], shared["networks"]) == ("/films/1.mp4", 40)
    assert shared["surprise"] > 20
    assert told["keys"]["keys"][0]["uses"][0]["requests"] > 0
    assert sum(each["requests"] for each in told["hours"]) == told["keys"]["read"]["rows"]
    text = json.dumps(told)
    assert "Signature=" not in text.replace("Signature=hidden", "")
    assert "10.3.0.5" not in text


def test_hostile_text_does_no_harm(tmp_path: Path, capsys: Out) -> None:
    log = Log()
    for each in range(60):
        log.add(f"{SITE}/{each}/{EVIL}", NOON + each, 403, agent=EVIL, referrer=f"https://{EVIL}/")
    log.write(tmp_path)
    page = tmp_path / "report.html"
    text = asked(capsys, "summary", tmp_path, "--html", page)
    text += asked(capsys, "refused", tmp_path)
    assert "\x1b" not in text
    assert "\u202e" not in text
    html = page.read_text("utf-8")
    assert "<script" not in html
    assert "\x1b" not in html
    assert "default-src 'none'" in html
    assert "alert(1)" in html


@pytest.mark.large
def test_the_page_and_the_tables_are_written(day: Path, tmp_path: Path, capsys: Out) -> None:
    import duckdb

    asked(capsys, "summary", day, "--html", tmp_path / "r.html", "--parquet", tmp_path / "tables")
    html = (tmp_path / "r.html").read_text("utf-8")
    assert html.count("<svg") >= 2
    assert "What deserves a look" in html
    assert "It contains no signature" in html
    ((links,),) = duckdb.execute(f"SELECT count(*) FROM '{tmp_path / 'tables' / 'links.parquet'}'").fetchall()
    assert links > 50
    assert run(["logs", "summary", str(day), "--html", str(tmp_path / "no" / "r.html")]) == 2
    assert "cannot write" in capsys.readouterr().err


def test_logs_in_s3(day: Path, capsys: Out, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("ACCESS_KEY_ID", "test"), ("SECRET_ACCESS_KEY", "test"), ("DEFAULT_REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    with mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="my-logs")
        log = Log()
        log.add(sign("/a", NOON + 60), NOON)
        data = log.write(day.parent / "one").read_bytes()
        s3.put_object(Bucket="my-logs", Key=f"shop/{DISTRIBUTION}.2030-05-01-12.a.gz", Body=data)
        s3.put_object(Bucket="my-logs", Key=f"shop/{DISTRIBUTION}.2030-01-01-12.a.gz", Body=b"not opened")
        s3.put_object(Bucket="my-logs", Key="shop/../evil.gz", Body=data)
        told = json.loads(asked(capsys, "keys", "s3://my-logs/shop/", "--since", "2030-05-01T00:00:00Z", "--json"))
        assert told["keys"][0]["uses"][0]["requests"] == 1
        assert (told["read"]["files"], told["read"]["files_left_out"]) == (2, 1)
        assert run(["logs", "keys", "s3://other-logs/"]) == 2
        assert "s3://other-logs/" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("keys", "missing"), "neither a file nor a folder"),
        (("keys", "s3:/x"), "is not an address in S3"),
        (("keys", ".", "--since", "yesterday"), "--since 'yesterday' is not a time"),
        (("keys", ".", "--since", "1h", "--until", "2h"), "is not before --until"),
        (("keys", ".", "--memory", "1MB"), "--memory '1MB' is not a size"),
        (("keys", ".", "--keys", "x"), "--keys needs --config"),
        (("keys", ".", "--account", "--config", "x"), "give --account or --config"),
        (("keys", ".", "--fields", "a b"), "--fields: 'a b' is not the name of a field"),
    ],
)
def test_bad_input_is_one_line(
    arguments: tuple[str, ...], told: str, capsys: Out, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["logs", *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert told in error
    assert error.count("\n") == 1


def test_broken_rows_are_told(tmp_path: Path, capsys: Out) -> None:
    log = Log()
    log.add(sign("/a", NOON + 60), NOON)
    path = log.write(tmp_path)
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()) + b"a\tb\n"))
    assert run(["logs", "keys", str(tmp_path)]) == 0
    assert "warning: 1 broken row does not count" in capsys.readouterr().err


def test_the_sql_of_other_engines(capsys: Out) -> None:
    assert "CREATE OR REPLACE VIEW requests" in asked(capsys, "sql", "--engine", "spark")
    assert "CREATE MACRO" in asked(capsys, "sql", "--engine", "duckdb")
