"""A file system behind the check that takes `/PRIVATE/x` for `/private/x`."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from keyfront import Signer
from keyfront.core.letter_case import folded_matcher
from keyfront.edge.authz.protection import Files
from keyfront.edge.authz.served_folder import MOST_FOLDERS, ignores_case
from keyfront.errors import InputError

from .test_service import ID, SITE, Service

SPELLINGS = (
    "/PRIVATE/x", "/Private/x", "/%50rivate/x", "/public/..%2fPRIVATE/x", "//pRivate/x", "/PRIVATE/;a/x",
)  # fmt: skip


@pytest.fixture
def service(public_key: Path) -> Service:
    files = Files([(ID, public_key)], protect=["/private/*"], public=["/private/open/*"])
    return Service(files, "nginx", ignore_case=True)


@pytest.mark.parametrize("path", SPELLINGS)
def test_another_spelling_needs_the_signature_of_what_it_would_open(service: Service, path: str) -> None:
    refused = service.judge(path)
    assert refused.status == 403
    assert refused.headers["x-keyfront-reason"] != "public"


def test_case_counts_where_nobody_said_otherwise(public_key: Path) -> None:
    service = Service(Files([(ID, public_key)], protect=["/private/*"]), "nginx")
    assert service.judge("/PRIVATE/x").headers["x-keyfront-reason"] == "public"


def test_what_is_signed_is_let_in_as_it_was_signed(service: Service, signer: Signer) -> None:
    for path in ("/private/x", "/PRIVATE/x"):
        link = signer.sign_url(f"{SITE}{path}", expires=timedelta(hours=1)).removeprefix(SITE)
        assert service.judge(link).status == 200
        assert service.judge(link.replace(path, path.swapcase())).status == 403


def test_a_pattern_opens_no_other_spelling(service: Service) -> None:
    assert service.judge("/private/open/x").status == 200
    assert service.judge("/PRIVATE/open/x").status == 403
    assert service.judge("/elsewhere").status == 200


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("/private/*", "PRIVATE/x"),
        ("*.PDF", "a/b.pdf"),
        ("/caf%C3%A9/*", "CAF%C3%89/x"),  # É for é
        ("/caf%C3%A9/*", "cafe%CC%81/x"),  # e and an accent for é
        ("/keys/*", "%E2%84%AAeys/x"),  # the sign for kelvin
        ("/private/*", "pri%E2%80%8Dvate/x"),  # HFS+ passes over a joiner of no width
    ],
)
def test_names_are_compared_as_such_file_systems_do(pattern: str, path: str) -> None:
    assert folded_matcher(pattern)(path)
    assert not folded_matcher(pattern)(f"no/{path}x.no")


def _tree(root: Path, *names: str) -> Path:
    for name in names:
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("")
    return root


def test_a_folder_shows_that_case_counts(tmp_path: Path) -> None:
    assert not ignores_case(_tree(tmp_path, "private/x", "private/Both", "private/bOTH", "1/2"))


def test_what_cannot_be_seen_is_taken_for_a_folder_that_ignores_case(tmp_path: Path) -> None:
    assert ignores_case(tmp_path)
    assert ignores_case(_tree(tmp_path, "1/a"))
    with pytest.raises(InputError, match="nowhere cannot be read"):
        ignores_case(tmp_path / "nowhere")
    many = _tree(tmp_path / "many", "letters")
    for number in range(MOST_FOLDERS + 1):
        (many / str(number)).mkdir()
    assert ignores_case(many)


@pytest.mark.parametrize("folded", [".", "deep/er"])
def test_a_folder_that_ignores_case_is_seen_wherever_it_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folded: str
) -> None:
    """Simulated: no such file system can be made without being root."""
    root = _tree(tmp_path, "private/x", "deep/er/x", "deep/y")
    exact = os.path.lexists

    def lexists(path: Path) -> bool:
        ignoring = path.parent == root / folded
        return (
            any(each.name.lower() == path.name.lower() for each in path.parent.iterdir()) if ignoring else exact(path)
        )

    assert not ignores_case(root)
    monkeypatch.setattr(os.path, "lexists", lexists)
    assert ignores_case(root)
