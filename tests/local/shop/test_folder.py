"""A user's own folder as a shop."""

import os
from pathlib import Path

import pytest

from keyfront.errors import InputError
from keyfront.local.shop import Shop, load_shop


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
    ("name", "title", "kind"),
    [
        ("night_trains-2.epub", "Night trains 2", "book"),
        ("01 - Well-Tempered.flac", "01 - Well-Tempered", "audio"),
        ("talk.MP4", "Talk", "video"),
        ("Map of Skerrow.PNG", "Map of Skerrow", "image"),
        ("notes.md", "Notes", "document"),
        ("guide.pdf", "Guide", "document"),
        ("photos.2024.zip", "Photos.2024", "archive"),
        ("source-1.2.tar.gz", "Source 1.2", "archive"),
        ("README", "README", "file"),
        ("data.unheard-of", "Data", "file"),
        ("日本.pdf", "日本", "document"),
    ],
)
def test_title_and_kind_come_from_the_name(tmp_path: Path, name: str, title: str, kind: str) -> None:
    (item,) = load_shop(fill(tmp_path, name)).items
    assert (item.title, item.kind) == (title, kind)
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


def test_links_that_lead_out_of_the_folder_are_left_out_and_named(tmp_path: Path) -> None:
    library = fill(tmp_path / "library", "one.txt", "sub/two.txt")
    folder = fill(tmp_path / "folder", "own.txt")
    (folder / "linked").symlink_to(library)
    (folder / "single.txt").symlink_to(library / "one.txt")
    (folder / "again.txt").symlink_to(folder / "own.txt")
    shop = load_shop(folder)
    assert [item.key for item in shop.items] == ["again.txt", "own.txt"]
    assert shop.left_out == {"linked": "is a link to a folder", "single.txt": "is a link that leads out of the folder"}


def test_what_is_no_file_is_left_out(tmp_path: Path) -> None:
    fill(tmp_path, "a.txt")
    os.mkfifo(tmp_path / "pipe")
    assert [item.key for item in load_shop(tmp_path).items] == ["a.txt"]


def test_a_missing_folder_a_file_and_an_empty_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"the folder '.*nowhere' does not exist"):
        load_shop(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"a\.txt' is not a folder"):
        load_shop(fill(tmp_path, "a.txt") / "a.txt")
    (tmp_path / "empty" / "sub").mkdir(parents=True)
    (tmp_path / "empty" / ".keep").touch()
    with pytest.raises(InputError, match=r"has no files to sell"):
        load_shop(tmp_path / "empty")


def test_what_no_bucket_takes_is_left_out_and_named(tmp_path: Path) -> None:
    fill(tmp_path, "fine.txt", "line\nbreak.txt")
    (tmp_path / "gone.pdf").symlink_to(tmp_path / "was-here.pdf")
    shop = load_shop(tmp_path)
    assert [item.key for item in shop.items] == ["fine.txt"]
    assert set(shop.left_out) == {"line\nbreak.txt", "gone.pdf"}
