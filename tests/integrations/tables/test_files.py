# mypy: disable-error-code="import-untyped"
"""From a file to a file: every form into every form, losslessly, and what is refused."""

import csv
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.keys import shared_rsa

from keyfront import Signer, SigningKey
from keyfront.errors import InputError, KeyfrontError
from keyfront.integrations.tables import Progress, TableTerms, sign_table
from keyfront.integrations.tables.reading import open_table

SITE = "https://d111111abcdef8.cloudfront.net"
TERMS = TableTerms(url_column="url", expires=timedelta(hours=1))
Read = Callable[[Path], list[dict[str, str]]]

WRITERS: dict[str, Callable[[pa.Table, Path], None]] = {
    "csv": lambda table, path: pa.csv.write_csv(table, path),
    "tsv": lambda table, path: pa.csv.write_csv(table, path, pa.csv.WriteOptions(delimiter="\t")),
    "parquet": lambda table, path: pa.parquet.write_table(table, path, row_group_size=300),
    "arrow": lambda table, path: _ipc(pa.ipc.new_file, table, path),
    "feather": lambda table, path: _ipc(pa.ipc.new_stream, table, path),
    "arrows": lambda table, path: _ipc(pa.ipc.new_stream, table, path),
}


def _ipc(new: Any, table: pa.Table, path: Path) -> None:
    with new(str(path), table.schema) as writer:
        writer.write_table(table, max_chunksize=300)


def load(path: Path) -> pa.Table:
    match path.suffix:
        case ".parquet":
            return pa.parquet.read_table(path)
        case ".arrow":
            return pa.ipc.open_file(str(path)).read_all()
        case ".arrows":
            return pa.ipc.open_stream(str(path)).read_all()
        case suffix:
            delimiter = "\t" if suffix == ".tsv" else ","
            with path.open(encoding="utf-8", newline="") as file:
                rows = list(csv.reader(file, delimiter=delimiter))
            return pa.table([list(each) for each in zip(*rows[1:], strict=True)], names=rows[0])


def table(rows: int) -> pa.Table:
    urls = [f"{SITE}/{n}.epub" if n % 100 != 7 else f"no/{n}" for n in range(rows)]
    return pa.table({"id": [f"{n:06d}" for n in range(rows)], "url": urls, "note": ['a "b", c\nd'] * rows})


WAYS = [
    *((each, "parquet") for each in WRITERS),
    ("csv", "csv"),
    ("parquet", "tsv"),
    ("parquet", "arrow"),
    ("tsv", "arrows"),
]


@pytest.mark.parametrize(("source", "out"), WAYS)
def test_every_form_is_read_and_written(source: str, out: str, tmp_path: Path, signer: Signer, read_csv: Read) -> None:
    given = table(1000)
    WRITERS[source](given, tmp_path / f"in.{source}")
    told: list[Progress] = []
    to = tmp_path / f"out.{out}"
    done = sign_table(tmp_path / f"in.{source}", to, signer, TERMS, part_rows=128, processes=1, progress=told.append)
    assert (done.signed, done.rejected, done.kept) == (990, 10, 0)
    made = load(to)
    expected = given.filter(pa.compute.starts_with(given["url"], "https"))
    assert made.select(given.column_names).to_pydict() == expected.to_pydict()
    for url, signed in zip(made["url"].to_pylist(), made["signed_url"].to_pylist(), strict=True):
        assert signed.startswith(f"{url}?Expires={done.expires}&Signature=")
    assert done.reject == tmp_path / f"out.{out}.rejects.csv"
    rejects = read_csv(done.reject)
    assert [(each["row"], each["url"]) for each in rejects] == [(str(n + 1), f"no/{n}") for n in range(7, 1000, 100)]
    assert rejects[0]["reason"] == "'no/7' has no scheme: write https://no/7"
    assert told[-1] == Progress("writing", 1000, 1000)
    assert sorted(each.name for each in tmp_path.iterdir()) == [f"in.{source}", to.name, done.reject.name]


def test_parquet_keeps_its_types(tmp_path: Path, signer: Signer) -> None:
    given = pa.table(
        {
            "url": pa.array([f"{SITE}/1", f"{SITE}/2"]).dictionary_encode(),
            "when": pa.array([0, None], pa.timestamp("us", "UTC")),
            "tags": pa.array([["a"], None], pa.list_(pa.string())),
            "kind": pa.array(["x", "y"]).dictionary_encode(),
        },
        metadata={"owner": "shop"},
    )
    pa.parquet.write_table(given, tmp_path / "in.parquet")
    for out in ("out.parquet", "out.arrow"):
        sign_table(tmp_path / "in.parquet", tmp_path / out, signer, TERMS, part_rows=1, processes=1)
        made = load(tmp_path / out)
        assert made.drop_columns(["signed_url"]).to_pylist() == given.to_pylist()
        assert made.schema.field("when").type == given.schema.field("when").type
        assert made.schema.metadata[b"owner"] == b"shop"
        assert not any(b"keyfront" in each for each in made.schema.metadata)


def test_processes_give_what_one_process_gives(tmp_path: Path, write_csv: Callable[..., Path], key: SigningKey) -> None:
    """With a key whose signatures are always the same, and a signer with terms of its own."""
    signer = Signer("K2JCJMDEHXQW5F", shared_rsa(), "SHA256", max_lifetime=timedelta(days=400))
    source = write_csv([f"http://d111111abcdef8.cloudfront.net/{n}" for n in range(40)])
    terms = TableTerms(url_column="url", expires=int(time.time()) + 300 * 86_400)
    made = [
        sign_table(source, tmp_path / f"{count}.csv", signer, terms, part_rows=8, processes=count) for count in (1, 2)
    ]
    assert made[0].out.read_bytes() == made[1].out.read_bytes()
    assert made[0].seen == made[1].seen
    assert [(each.finding, each.times) for each in made[0].seen] == [("protocol-differs", 40)]


def test_wide_rows_are_read_a_few_at_a_time(tmp_path: Path) -> None:
    """However many rows a row group of Parquet has: only a few megabytes are in memory."""
    notes = [f"{number:04d}" * 25_000 for number in range(500)]
    pa.parquet.write_table(pa.table({"url": ["x"] * 500, "note": notes}), tmp_path / "in.parquet", row_group_size=500)
    with open_table(tmp_path / "in.parquet", "parquet") as opened:
        rows = most = 0
        for batch in opened.batches:
            rows, most = rows + len(batch), max(most, batch.nbytes)
    assert rows == 500
    assert most <= 8 << 20


def test_a_table_without_rows_gives_one_without_rows(
    tmp_path: Path, write_csv: Callable[..., Path], signer: Signer
) -> None:
    done = sign_table(write_csv([]), tmp_path / "out.csv", signer, TERMS)
    assert (done.signed, done.rejected, done.reject) == (0, 0, None)
    assert (tmp_path / "out.csv").read_text() == "url,signed_url\n"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(st.text(st.characters(exclude_categories=["Cs"])), st.text("\r\n\t,;\"' é")), max_size=5)
)
def test_every_text_of_a_csv_survives(
    rows: list[tuple[str, str]], tmp_path: Path, signer: Signer, read_csv: Read
) -> None:
    source, out = tmp_path / "in.csv", tmp_path / "out.csv"
    rows = [(one.replace("\0", ""), two) for one, two in rows]
    with source.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([("a", "url", "b"), *((a, f"{SITE}/", b) for a, b in rows)])
    sign_table(source, out, signer, TERMS, force=True)
    assert [(each["a"], each["b"]) for each in read_csv(out)] == rows
    # pyarrow's reader, which ends a line at a bare "\r", finds the same.
    assert len(pa.csv.read_csv(out, parse_options=pa.csv.ParseOptions(newlines_in_values=True))) == len(rows)


UNREADABLE: dict[str, tuple[str, bytes, str]] = {
    "empty": ("in.csv", b"", "its first line is empty"),
    "ragged": ("in.csv", b"url,b\nx,1\ny,2,3\n", "Expected 2 columns, got 3: y,2,3"),
    "latin-1": ("in.csv", b"url\nhttps://x.example/\xe9\n", "is not UTF-8"),
    "latin-1 header": ("in.csv", b"url,\xe9\nhttps://x.example/,1\n", "is not UTF-8"),
    "no parquet": ("in.parquet", b"url\n", "cannot be read as parquet"),
    "cut parquet": ("in.parquet", b"PAR1" + b"\0" * 100, "cannot be read as parquet"),
    "no arrow": ("in.arrow", b"url\n", "cannot be read as arrow"),
    "cut arrow": ("in.arrow", b"ARROW1\0\0", "cannot be read as arrow"),
    "unknown": ("in.txt", b"url\n", "does not show its format"),
}


@pytest.mark.parametrize(("name", "content", "told"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_is_told_and_nothing_is_left(
    name: str, content: bytes, told: str, tmp_path: Path, signer: Signer
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=told):
        sign_table(tmp_path / name, tmp_path / "out.parquet", signer, TERMS)
    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_a_name_that_says_nothing_can_be_told(tmp_path: Path, write_csv: Callable[..., Path], signer: Signer) -> None:
    source = write_csv([f"{SITE}/1"], "links.txt")
    assert sign_table(source, tmp_path / "out", signer, TERMS, kind="csv").signed == 1


def test_files_that_are_not_meant_are_refused(tmp_path: Path, write_csv: Callable[..., Path], signer: Signer) -> None:
    source = write_csv([f"{SITE}/1"])
    refused: list[tuple[dict[str, Any], str]] = [
        ({"out": source}, "must be three files"),
        ({"reject": tmp_path / "out.csv"}, "must be three files"),
        ({"source": tmp_path / "none.csv"}, "there is no file"),
        ({"source": tmp_path}, "not a regular file"),
        ({"out": tmp_path / "none" / "out.csv"}, "there is no folder"),
    ]
    for named, told in refused:
        with pytest.raises(InputError, match=told):
            sign_table(**{"source": source, "out": tmp_path / "out.csv", "signer": signer, "terms": TERMS, **named})
    assert list(tmp_path.iterdir()) == [source]


def test_lists_have_no_form_in_csv(tmp_path: Path, signer: Signer) -> None:
    pa.parquet.write_table(pa.table({"url": [f"{SITE}/1"], "tags": [["x"]]}), tmp_path / "in.parquet")
    with pytest.raises(InputError, match=r"'tags' holds list<.*>, which CSV cannot store"):
        sign_table(tmp_path / "in.parquet", tmp_path / "out.csv", signer, TERMS)


def test_what_is_there_is_replaced_only_by_force(
    tmp_path: Path, write_csv: Callable[..., Path], signer: Signer, read_csv: Read
) -> None:
    source, out, reject = write_csv([f"{SITE}/1"]), tmp_path / "out.csv", tmp_path / "out.csv.rejects.csv"
    for there in (reject, out):
        there.write_text("mine")
        with pytest.raises(InputError, match=f"{there} already exists: --force replaces it"):
            sign_table(source, out, signer, TERMS)
        assert there.read_text() == "mine"
    sign_table(source, out, signer, TERMS, force=True)
    assert len(read_csv(out)) == 1
    assert not reject.exists()  # it told of another table


def test_what_would_refuse_every_row_is_told_before_the_first(
    tmp_path: Path, write_csv: Callable[..., Path], signer: Signer
) -> None:
    source = write_csv([f"{SITE}/1"])
    for terms in (
        TableTerms(url_column="url", expires=timedelta(days=30), max_lifetime=timedelta(days=7)),
        TableTerms(url_column="url", expires=timedelta(hours=1), ip="10.0.0.0/33"),
        TableTerms(url_column="link", expires=timedelta(hours=1)),
    ):
        with pytest.raises(KeyfrontError):
            sign_table(source, tmp_path / "out.csv", signer, terms)
    assert list(tmp_path.iterdir()) == [source]
