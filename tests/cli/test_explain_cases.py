"""Trouble that people reported in public, made again: `keyfront explain` names its cause."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., tuple[int, str, str]]

CASES = Path(__file__).parents[1] / "explain" / "cases"
KNOWN = ("--trust", f"K2JCJMDEHXQW5F={CASES / 'public_key.pem'}", "--at", "2029-12-31T00:00:00Z")


def _read(*parts: str) -> str:
    return CASES.joinpath(*parts).read_text("utf-8").strip()


def _explained(run: Run, *arguments: str | Path) -> dict[str, list[dict[str, str]]]:
    status, out, err = run("explain", *arguments, *KNOWN, "--json")
    assert (status, err) == (1, "")
    report: dict[str, list[dict[str, str]]] = json.loads(out)
    assert report["verdict"]["outcome"] == "refused"  # type: ignore[call-overload]
    return report


@pytest.mark.parametrize(
    ("answer", "title", "fix"),
    [
        ("oac-may-not-decrypt.http", "may not use the KMS key", "kms:Decrypt to cloudfront.amazonaws.com"),
        ("oai-and-kms.http", "access identity cannot read", "an origin access control instead"),
        ("key-disabled.http", "KMS key that encrypts the object is disabled", "aws kms enable-key"),
    ],
)
def test_kms_stands_between(run: Run, answer: str, title: str, fix: str) -> None:
    folder = CASES / "01-kms-origin"
    report = _explained(run, _read("01-kms-origin", "link.txt"), "--response", folder / answer)
    assert [each["id"] for each in report["findings"]] == ["s3-may-not-decrypt"]
    first = report["findings"][0]
    assert title in first["title"]
    assert fix in first["fix"]
    assert "111122223333" not in json.dumps(report)  # the account's number stands in S3's message


def test_s3_redirects_to_the_regional_name(run: Run) -> None:
    folder = CASES / "04-s3-redirect"
    link = _read("04-s3-redirect", "link.txt")
    report = _explained(run, link, "--response", folder / "answer.http", "--distribution", folder / "distribution.json")
    first = report["findings"][0]
    assert first["id"] == "s3-redirected"
    assert "the origin is films.s3.amazonaws.com" in first["evidence"]
    assert "Use films.s3.eu-central-1.amazonaws.com" in first["fix"]


@pytest.mark.parametrize(
    ("link", "ids", "told"),
    [
        ("link-changed.txt", ["query-added", "error-hidden-by-a-page"], "403 or 404 is turned into 200 /index.html"),
        ("link.txt", ["error-hidden-by-a-page"], "The error behind it is the origin's"),
    ],
)
def test_a_page_hides_the_error(run: Run, link: str, ids: list[str], told: str) -> None:
    folder = CASES / "05-masked-refusal"
    given = ("--response", folder / "answer.http", "--distribution", folder / "distribution.json")
    report = _explained(run, _read("05-masked-refusal", link), *given)
    grave = [each for each in report["findings"] if each["severity"] != "note"]
    assert [each["id"] for each in grave] == ids
    assert told in grave[-1]["evidence"]
    assert "not a cache: X-Cache says Error" in grave[-1]["cause"]


@pytest.mark.parametrize(
    ("command", "finding", "told"),
    [
        ("preflight.curl", "preflight-without-cookies", "the header x-cookie"),
        ("x-cookie.curl", "cookies-in-another-header", "The header X-Cookie"),
    ],
)
def test_a_browser_leaves_the_cookies_out(run: Run, command: str, finding: str, told: str) -> None:
    folder = CASES / "06-preflight"
    report = _explained(run, "--curl", folder / command, "--distribution", folder / "distribution.json")
    assert [each["id"] for each in report["findings"]] == [finding]
    assert told in report["findings"][0]["evidence"]


def test_a_folder_was_signed_without_its_star(run: Run) -> None:
    cookie = _read("07-folder-without-star", "cookie.txt")
    report = _explained(run, _read("07-folder-without-star", "url.txt"), "--cookie", cookie)
    first = report["findings"][0]
    assert first["id"] == "folder-without-wildcard"
    assert "a canned policy for https://media.example.com/members/ alone" in first["evidence"]
    assert "https://media.example.com/members/*" in first["fix"]


def test_a_playlist_was_signed_and_not_its_segment(run: Run) -> None:
    first = _explained(run, _read("07-folder-without-star", "link.txt"))["findings"][0]
    assert (first["id"], first["certainty"]) == ("signed-for-another-file", "certain")
    assert "https://media.example.com/members/master.m3u8" in first["evidence"]
