"""`keyfront shop ... --from FILE`: many items and purchases from CSV files, all or nothing."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from keyfront.backend.service.csv_files import items
from keyfront.backend.service.values import Item
from keyfront.errors import InputError

Run = Callable[..., tuple[int, str, str]]
ITEMS = (
    'id,key,title,price,size\nlamps,books/lamps.epub,"Small Lights, 2nd edition",6.50,94601\n\nguide , guide.pdf,,,\n'
)


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The working folder, in which the database is too."""
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'shop.db'}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def load(run: Run, folder: Path) -> Callable[..., tuple[int, str, str]]:
    """`keyfront shop items add` (or another command) with a file."""

    def load(text: str | bytes, *arguments: str, command: tuple[str, ...] = ("items", "add")) -> tuple[int, str, str]:
        file = folder / "shop.csv"
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return run("shop", *command, "--from", file, *arguments)

    return load


def listed(run: Run, what: str) -> list[dict[str, object]]:
    said: list[dict[str, object]] = json.loads(run("shop", what, "list", "--json")[1])
    return said


def test_items_come_from_a_file_and_a_second_run_changes_nothing(load: Run, run: Run) -> None:
    assert load(ITEMS) == (0, "Items: 2 added, 0 updated, 0 unchanged.\n", "")
    lamps, guide = listed(run, "items")
    assert (lamps["title"], lamps["price_cents"], lamps["size"]) == ("Small Lights, 2nd edition", 650, 94601)
    assert (guide["id"], guide["title"], guide["key"], guide["kind"]) == ("guide", "guide", "guide.pdf", "file")
    assert load(ITEMS, "--json")[1] == json.dumps({"added": 0, "updated": 0, "unchanged": 2}, indent=2) + "\n"


def test_a_changed_item_needs_replace_and_keeps_its_place(load: Run, run: Run) -> None:
    load(ITEMS)
    changed = ITEMS.replace("6.50", "7") + "new,n,,,\n"
    status, said, err = load(changed)
    assert (status, said) == (2, "")
    assert err == (
        "error: shop.csv, line 2: there is an item 'lamps' already, with other values: give --replace to change it\n"
    )
    assert len(listed(run, "items")) == 2
    assert load(changed, "--replace")[1] == "Items: 1 added, 1 updated, 1 unchanged.\n"
    assert [each["id"] for each in listed(run, "items")] == ["lamps", "guide", "new"]


def test_purchases_come_from_a_file_with_their_customers(load: Run, run: Run) -> None:
    load(ITEMS)
    # More rows than one statement takes, saved by a spreadsheet that separates with semicolons.
    rows = [f"auth0|{number};lamps;Customer {number};" for number in range(600)]
    text = "\ufeffCustomer;Item;Name;Email\r\n" + "\r\n".join([*rows, "mara;guide;;mara@example.com", rows[0]])
    assert load(text, command=("purchases", "grant")) == (0, "Purchases: 601 added, 1 unchanged.\n", "")
    assert load(text, command=("purchases", "grant"))[1] == "Purchases: 0 added, 602 unchanged.\n"
    bought = listed(run, "purchases")
    assert len(bought) == 601
    assert {"id": "mara", "name": "mara", "email": "mara@example.com"} in listed(run, "customers")


def test_a_wrong_row_behind_many_good_ones_leaves_nothing(load: Run, run: Run) -> None:
    load(ITEMS)
    rows = "".join(f"c{number},lamps\n" for number in range(600))
    status, said, err = load(f"customer,item\n{rows}mara,lamp\n", command=("purchases", "grant"))
    assert (status, said, err) == (2, "", "error: shop.csv, line 602: there is no item 'lamp'\n")
    assert run("shop", "purchases", "list")[2] == "There are no such purchases.\n"
    assert listed(run, "customers") == []


def test_standard_input_is_a_file_too(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xef\xbb\xbfid,key\na,\xc3\xa4.bin\n"), "ascii"))
    assert run("shop", "items", "add", "--from", "-")[1] == "Items: 1 added, 0 updated, 0 unchanged.\n"
    assert listed(run, "items")[0]["key"] == "ä.bin"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "shop.csv: the first line has no column 'id': write id, key, and any of title, kind"),
        ("id,title\na,b\n", "the first line has no column 'key'"),
        ("id,key,colour\na,b,red\n", "the first line has the unknown column 'colour'"),
        ("id,key,ID\na,b,c\n", "the first line has twice the column 'id'"),
        ("id,key\na,a.bin\n\nb,b.bin,c\n", "shop.csv, line 4: it has 3 cells, and the first line has 2: put a text"),
        ("id,key\na,\n", "line 2: the key is empty"),
        ('id,key,description\na,a,"two\nlines"\nb,/b,x\n', "line 4: item b: its key '/b' begins with '/'"),
        ("id,key,price\na,a,1.5\n", "line 2: the price '1.5' is not an amount: write it as 6.50"),
        ("id,key,size\na,a,1 MB\n", "line 2: the size '1 MB' is not a number of bytes: write digits only"),
        (f"id,key,size\na,a,{2**63}\n", "line 2: the size 9223372036854775808 is too large for the database"),
        ("id,key\na,a\nb,b\na,c\n", "line 4: the item 'a' is on an earlier line as well"),
        ('id,key\na,a\nb,"b\n', "line 3: unexpected end of data: a text that begins with a quote ends with one"),
        ("id,key,kind\na,a," + "k" * 33 + "\n", "line 2: the kind has 33 characters: give at most 32"),
        ("id,key,author\na,a,x\0y\n", r"line 2: the author 'x\x00y' contains NUL"),
        (b"id,key\na,\xe4.bin\n", "shop.csv is not UTF-8 text: save it as CSV UTF-8"),
        ("id,key\na,a\n\x1b[2Jb,b\n", r"line 3: the item id '\x1b[2Jb' cannot be used in a URL"),
    ],
)
def test_a_bad_file_is_one_line_and_changes_nothing(text: str | bytes, told: str, load: Run, run: Run) -> None:
    status, said, err = load(text)
    assert (status, said) == (2, "")
    assert told in err
    assert "\x1b" not in err
    assert run("shop", "items", "list")[2].startswith("There are no items.")


LINE = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=20).map(str.strip)


@hypothesis_settings(max_examples=40)
@given(st.lists(st.tuples(LINE, LINE, LINE), max_size=6), st.sampled_from(",;\t"))
def test_what_is_written_is_read(texts: list[tuple[str, str, str]], separator: str) -> None:
    given_items = [
        replace(Item(f"i{number}", title or f"i{number}", f"k{number}"), author=author, description=about)
        for number, (title, author, about) in enumerate(texts)
    ]
    out = io.StringIO(newline="")
    plain = csv.writer(out, delimiter=separator)
    plain.writerow(["id", "key", "title", "author", "description"])
    plain.writerows([each.id, each.key, each.title, each.author, each.description] for each in given_items)
    out.seek(0)
    assert [row.value for row in items(out, "x.csv")] == given_items


@hypothesis_settings(max_examples=40)
@given(st.text(max_size=200))
def test_any_text_is_items_or_one_error(text: str) -> None:
    said = "x.csv, line "
    try:
        said = "".join(row.where for row in items(io.StringIO(f"id,key\n{text}", newline=""), "x.csv")) or said
    except InputError as error:
        said = str(error)
    assert said.startswith("x.csv, line ")
