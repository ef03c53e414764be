"""The three files that come with keyfront: the script makes them again to the byte, and real readers open them."""

import hashlib
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from tools.demo_files.pdf import lines_of, width_of
from tools.demo_files.waltz import RATE, samples

from keyfront.local.shop import Shop, load_shop

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def shop() -> Shop:
    return load_shop(None)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("made")
    command = [sys.executable, "-m", "tools.demo_files", str(out)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return out


def item_path(shop: Shop, kind: str) -> Path:
    return shop.path(next(item for item in shop.items if item.kind == kind))


@pytest.mark.large
def test_the_script_makes_the_files_again_to_the_byte(shop: Shop, made: Path) -> None:
    assert sorted(path.name for path in made.iterdir()) == sorted(item.key for item in shop.items)
    for item in shop.items:
        assert (made / item.key).read_bytes() == shop.path(item).read_bytes(), item.key


def test_the_script_says_what_it_wants_when_it_is_not_told_where() -> None:
    command = [sys.executable, "-m", "tools.demo_files"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert told.returncode == 2
    assert "tools.demo_files OUT" in told.stderr


def test_the_catalogue_is_of_the_files_that_are_there(shop: Shop) -> None:
    assert {path.name for path in shop.folder.iterdir()} == {item.key for item in shop.items}
    assert [item.size for item in shop.items] == [shop.path(item).stat().st_size for item in shop.items]
    assert sum(item.size for item in shop.items) < 200_000
    assert {item.kind for item in shop.items} == {"book", "document", "audio"}


def test_each_customer_bought_something_that_the_other_did_not(shop: Shop) -> None:
    first, second = (shop.bought(customer.id) for customer in shop.customers)
    everything = {item.id for item in shop.items}
    assert first - second
    assert second - first
    assert first | second <= everything
    assert first != everything
    assert second != everything


def test_the_book_is_an_epub_whose_every_page_is_well_formed(shop: Shop) -> None:
    with zipfile.ZipFile(item_path(shop, "book")) as book:
        first = book.infolist()[0]
        assert (first.filename, first.compress_type, first.extra) == ("mimetype", zipfile.ZIP_STORED, b"")
        assert book.read("mimetype") == b"application/epub+zip"
        package = ElementTree.fromstring(book.read("EPUB/package.opf"))
        spoken = {"opf": "http://www.idpf.org/2007/opf"}
        hrefs = [entry.attrib["href"] for entry in package.findall("opf:manifest/opf:item", spoken)]
        assert {f"EPUB/{href}" for href in hrefs} == {
            name for name in book.namelist() if name.startswith("EPUB/") and name != "EPUB/package.opf"
        }
        for name in book.namelist():
            if name.endswith((".xhtml", ".svg")):
                ElementTree.fromstring(book.read(name))


def test_epubcheck_finds_nothing_to_say(shop: Shop, tmp_path: Path, java: Path, epubcheck: Path) -> None:
    report = tmp_path / "report.json"
    quick = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
    command: list[str | Path] = [java, *quick, "-jar", epubcheck, item_path(shop, "book"), "--json", report]
    subprocess.run(command, check=True, capture_output=True)
    assert json.loads(report.read_text())["messages"] == []


def test_the_guides_table_says_where_each_object_begins(shop: Shop) -> None:
    content = item_path(shop, "document").read_bytes()
    start = int(content.rsplit(b"startxref\n", 1)[1].split(b"\n")[0])
    head, count, *entries = content[start:].split(b"\n")
    assert head == b"xref"
    total = int(count.split()[1])
    for number, entry in enumerate(entries[1:total], start=1):
        offset = int(entry.split()[0])
        assert content[offset:].startswith(f"{number} 0 obj\n".encode())


def test_the_guide_opens_in_poppler(shop: Shop, tmp_path: Path, need_tool: Callable[[str], Path]) -> None:
    path = str(item_path(shop, "document"))
    subprocess.run([need_tool("pdftoppm"), "-r", "20", path, tmp_path / "page"], check=True, capture_output=True)
    assert len(list(tmp_path.iterdir())) == 6
    text = subprocess.run([need_tool("pdftotext"), path, "-"], check=True, capture_output=True, text=True).stdout
    for heading in ("How a light is written", "Rhythms", "What the light stands on", "Night log"):
        assert heading in text


def test_lines_are_broken_where_the_width_ends() -> None:
    text = "Pass to the north of it. The flashes never stop, as on a clock that has come to twelve."
    lines = lines_of(text, "Times-Roman", 9.5, 200)
    assert " ".join(lines) == text
    assert len(lines) == 2
    assert all(width_of(line, "Times-Roman", 9.5) <= 200 for line in lines)


def test_the_recording_decodes_to_the_samples_that_were_played(shop: Shop, ffmpeg: Path) -> None:
    strict = ["-v", "error", "-xerror", "-err_detect", "crccheck+bitstream+explode"]
    source = ["-i", str(item_path(shop, "audio")), "-f", "s16le", "-"]
    decoded = subprocess.run([ffmpeg, *strict, *source], check=True, capture_output=True)
    assert decoded.stderr == b""
    played = samples()
    assert 10 * RATE < len(played) < 20 * RATE
    assert max(map(abs, played)) < 32_000
    assert decoded.stdout == b"".join(sample.to_bytes(2, "little", signed=True) for sample in played)
    # FLAC's own digest of what went in, in the block that describes the stream.
    assert item_path(shop, "audio").read_bytes()[26:42] == hashlib.md5(decoded.stdout).digest()
