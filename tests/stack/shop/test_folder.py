"""A user's own folder as a shop."""

import os
from pathlib import Path

import pytest

from keyfront.errors import InputError
from keyfront.stack.shop import Shop, load_shop


def fill(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return folder


def ids(shop: Shop) -> dict[str, str]:
    return {item.key: item.id for item in shop.items}


def test_every_file_is_for_sale_in_the_order_of_the_paths(tmp_path: Path) -> None:
    shop = load_shop(fill(tmp_path, "b.pdf", "a/z.epub", "a/deep/er/x.mp4", "empty.bin"))
    assert [item.key for item in shop.items] == ["a/deep/er/x.mp4", "a/z.epub", "b.pdf", "empty.bin"]
    for item in shop.items:
        assert shop.path(item).read_bytes() == item.key.encode()
        assert item.size == len(item.key)


def test_what_begins_with_a_dot_is_left_out(tmp_path: Path) -> None:
    shop = load_shop(fill(tmp_path, "a.txt", ".hidden", ".git/config", "sub/.DS_Store"))
    assert [item.key for item in shop.items] == ["a.txt"]


@pytest.mark.parametrize(
    ("name", "title", "kind", "media_type"),
    [
        ("night_trains-2.epub", "Night trains 2", "book", "application/epub+zip"),
        ("01 - Well-Tempered.flac", "01 - Well-Tempered", "audio", "audio/flac"),
        ("talk.MP4", "Talk", "video", "video/mp4"),
        ("Map of Skerrow.PNG", "Map of Skerrow", "image", "image/png"),
        ("notes.md", "Notes", "document", "text/markdown"),
        ("guide.pdf", "Guide", "document", "application/pdf"),
        ("photos.2024.zip", "Photos.2024", "archive", "application/zip"),
        ("source-1.2.tar.gz", "Source 1.2", "archive", "application/gzip"),
        ("README", "README", "file", "application/octet-stream"),
        ("data.unheard-of", "Data", "file", "application/octet-stream"),
        ("日本.pdf", "日本", "document", "application/pdf"),
    ],
)
def test_title_and_kind_come_from_the_name(tmp_path: Path, name: str, title: str, kind: str, media_type: str) -> None:
    (item,) = load_shop(fill(tmp_path, name)).items
    assert (item.title, item.kind, item.media_type) == (title, kind, media_type)
    assert item.price_cents > 0
    assert item.description


def test_ids_stand_in_a_url_and_are_told_apart(tmp_path: Path) -> None:
    names = (
        "Été à Paris.pdf",
        "book.epub",
        "book.pdf",
        "a/b.txt",
        "a-b.txt",
        "日本.pdf",
        "中国.pdf",
        "x" * 120 + ".txt",
    )
    found = ids(load_shop(fill(tmp_path, *names)))
    assert found["Été à Paris.pdf"] == "ete-a-paris-pdf"
    assert (found["book.epub"], found["book.pdf"]) == ("book-epub", "book-pdf")
    assert len(set(found.values())) == len(names)
    for slug in found.values():
        assert slug == "".join(c for c in slug if c.isascii() and (c.islower() or c.isdigit() or c == "-"))
        assert len(slug) <= 100


def test_an_id_does_not_change_when_other_files_come(tmp_path: Path) -> None:
    before = ids(load_shop(fill(tmp_path, "book.epub", "日本.pdf")))
    after = ids(load_shop(fill(tmp_path, "a.txt", "book.pdf", "zz.txt", "中国.pdf")))
    assert before.items() <= after.items()


def test_the_first_customer_bought_every_other_item_and_the_second_the_rest(tmp_path: Path) -> None:
    shop = load_shop(fill(tmp_path, "a", "b", "c", "d", "e"))
    first, second = (shop.bought(customer.id) for customer in shop.customers)
    assert first == {"a", "c", "e"}
    assert second == {"b", "d"}


def test_the_shop_is_named_after_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_shop(fill(tmp_path / "sea_charts", "a")).title == "Sea charts"
    monkeypatch.chdir(tmp_path / "sea_charts")
    here = load_shop(Path())
    assert here.title == "Sea charts"
    assert here.folder.is_absolute()


def test_links_are_followed_and_cannot_loop(tmp_path: Path) -> None:
    library = fill(tmp_path / "library", "one.txt", "sub/two.txt")
    folder = fill(tmp_path / "folder", "own.txt")
    (folder / "linked").symlink_to(library)
    (folder / "single.txt").symlink_to(library / "one.txt")
    (folder / "again").symlink_to(folder)
    assert [item.key for item in load_shop(folder).items] == [
        "linked/one.txt",
        "linked/sub/two.txt",
        "own.txt",
        "single.txt",
    ]


def test_what_is_no_file_is_left_out(tmp_path: Path) -> None:
    fill(tmp_path, "a.txt")
    os.mkfifo(tmp_path / "pipe")
    assert [item.key for item in load_shop(tmp_path).items] == ["a.txt"]


def test_a_missing_folder_a_file_and_an_empty_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere does not exist"):
        load_shop(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"a\.txt is a file: give the folder"):
        load_shop(fill(tmp_path, "a.txt") / "a.txt")
    (tmp_path / "empty" / "sub").mkdir(parents=True)
    (tmp_path / "empty" / ".keep").touch()
    with pytest.raises(InputError, match=r"holds no files to sell"):
        load_shop(tmp_path / "empty")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    fill(tmp_path, "a.txt", "closed/b.txt")
    (tmp_path / "closed").chmod(0)
    try:
        with pytest.raises(InputError, match=r"closed cannot be read: Permission denied"):
            load_shop(tmp_path)
    finally:
        (tmp_path / "closed").chmod(0o700)
    (tmp_path / "a.txt").chmod(0)
    with pytest.raises(InputError, match=r"a\.txt cannot be read: permission denied"):
        load_shop(tmp_path)


def test_a_link_to_nothing_is_refused_by_name(tmp_path: Path) -> None:
    fill(tmp_path, "a.txt")
    (tmp_path / "gone.pdf").symlink_to(tmp_path / "was-here.pdf")
    with pytest.raises(InputError, match=r"gone\.pdf is a link to nothing"):
        load_shop(tmp_path)


def test_names_that_no_bucket_takes_are_refused(tmp_path: Path) -> None:
    (tmp_path / "line\nbreak.txt").touch()
    with pytest.raises(InputError, match=r"control character: rename it"):
        load_shop(tmp_path)
    (tmp_path / "line\nbreak.txt").rename(tmp_path / "fine.txt")
    deep = tmp_path.joinpath(*["d" * 200] * 6)
    fill(deep, "a.txt")
    with pytest.raises(InputError, match=r"1,211 bytes long; a bucket takes at most 1,024"):
        load_shop(tmp_path)


def test_a_name_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    try:
        (tmp_path / os.fsdecode(b"caf\xe9.txt")).touch()
    except OSError:
        pytest.skip("this file system takes UTF-8 names alone")
    with pytest.raises(InputError, match=r"caf\\udce9\.txt' is not UTF-8: rename it"):
        load_shop(tmp_path)
