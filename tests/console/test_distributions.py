"""Distributions on the console's pages: which path goes where, and changes that are seen before they are made."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.console.conftest import Browser, Open, plain

from keyfront.cli import main
from keyfront.console.accounts import SavedAccount
from keyfront.console.distribution_pages import path_of
from keyfront.inventory.files import read_files

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient


@pytest.fixture
def distribution(make_distribution: Callable[..., str], config: Callable[..., dict[str, Any]]) -> str:
    behavior = config()["DefaultCacheBehavior"]
    items = [{**behavior, "PathPattern": each} for each in ("/private/*", "*.pdf")]
    return make_distribution(Comment="The <shop>", CacheBehaviors={"Quantity": 2, "Items": items})


def _groups(cloudfront: "CloudFrontClient", distribution: str) -> list[str]:
    behavior = cloudfront.get_distribution_config(Id=distribution)["DistributionConfig"]["CacheBehaviors"]["Items"][0]
    return list(behavior["TrustedKeyGroups"].get("Items", []))


def _field(text: str, name: str) -> str:
    return text.partition(f'name="{name}" value="')[2].partition('"')[0]


def test_a_behavior_is_protected_after_a_look_at_the_change(
    page: Browser, distribution: str, make_group: Callable[..., str], cloudfront: "CloudFrontClient"
) -> None:
    group = make_group()
    preview = page.post(f"/ask/change/{distribution}", pattern="/private/*", group=group)
    assert not _groups(cloudfront, distribution)
    assert f"keyfront groups trust {distribution} &#39;/private/*&#39; {group}" in preview.text
    assert "aws cloudfront update-distribution" in preview.text
    assert "ordered_cache_behavior {" in preview.text
    assert '<span class="plus">' in preview.text
    etag = _field(preview.text, "etag")
    done = page.post(f"/distributions/{distribution}/change", pattern="/private/*", group=group, etag=etag)
    assert f"/private/* trusts {group}" in done.text
    assert _groups(cloudfront, distribution) == [group]


def test_a_change_that_someone_else_overtook_shows_theirs_and_yours(
    page: Browser, distribution: str, make_group: Callable[..., str], cloudfront: "CloudFrontClient"
) -> None:
    group = make_group()
    seen = _field(page.post(f"/ask/change/{distribution}", pattern="/private/*", group=group).text, "etag")
    answer = cloudfront.get_distribution_config(Id=distribution)
    theirs: Any = {**answer["DistributionConfig"], "Comment": "Theirs"}
    cloudfront.update_distribution(Id=distribution, IfMatch=answer["ETag"], DistributionConfig=theirs)
    stale = page.post(f"/distributions/{distribution}/change", pattern="/private/*", group=group, etag=seen)
    assert stale.status_code == 409
    assert "Nothing of yours was applied" in stale.text
    assert "&#34;Comment&#34;: &#34;Theirs&#34;" in stale.text
    assert group in stale.text
    assert not _groups(cloudfront, distribution)
    again = page.post(
        f"/distributions/{distribution}/change", pattern="/private/*", group=group, etag=_field(stale.text, "etag")
    )
    assert again.status_code == 200
    assert _groups(cloudfront, distribution) == [group]
    assert cloudfront.get_distribution_config(Id=distribution)["DistributionConfig"]["Comment"] == "Theirs"


def test_the_command_makes_the_same_change(
    distribution: str,
    endpoint: Any,
    make_group: Callable[..., str],
    cloudfront: "CloudFrontClient",
    capsys: pytest.CaptureFixture[str],
) -> None:
    group = make_group()
    there = ("--endpoint-url", endpoint.url)
    assert main(["groups", "trust", distribution, "/private/*", group, "--dry-run", *there]) == 0
    assert f'+            "{group}"' in capsys.readouterr().out
    assert not _groups(cloudfront, distribution)
    assert main(["groups", "trust", distribution, "/private/*", group, "--json", *there]) == 0
    assert json.loads(capsys.readouterr().out)["changed"]
    assert _groups(cloudfront, distribution) == [group]
    assert main(["groups", "trust", distribution, "/private/*", "--open", *there]) == 0
    assert not _groups(cloudfront, distribution)
    assert main(["groups", "trust", distribution, "/private/*", *there]) == 2
    assert main(["groups", "trust", distribution, "/none", group, *there]) == 2
    assert "choose one of /private/*, *.pdf, *" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("path", "takes"),
    [
        ("/private/a.pdf", "/private/*"),
        ("private/a.pdf", "/private/*"),
        ("/x/../private/a", "/private/*"),
        ("/a.pdf?x=/private/", "*.pdf"),
        ("https://d.example/private/b", "/private/*"),
        ("/PRIVATE/a", "the default behavior"),
        ("/", "the default behavior"),
        ("/%3Cb%3E<b>", "the default behavior"),
    ],
)
def test_the_behavior_that_takes_a_path_is_named(page: Browser, distribution: str, path: str, takes: str) -> None:
    answer = page.get(f"/distributions/{distribution}/path", params={"path": path})
    assert f"<strong>{takes}</strong>" in answer.text
    assert "<b>" not in answer.text


def test_another_reading_of_a_path_is_named(page: Browser, distribution: str) -> None:
    answer = page.get(f"/distributions/{distribution}/path", params={"path": "/open/..%2Fprivate/x"})
    assert "An origin may also read it as" in answer.text


@pytest.mark.parametrize("text", ["", "  ", "http://[", "a b", "ü", "\\x", "//", "/%zz"])
def test_a_path_is_made_of_anything_that_is_typed(text: str) -> None:
    assert path_of(text) == "" or path_of(text).startswith("/")


def test_the_status_of_a_deployment_is_sent_until_it_is_deployed(page: Browser, distribution: str) -> None:
    with page.client.stream("GET", f"/distributions/{distribution}/status") as answer:
        lines = list(answer.iter_lines())
    assert 'data: "Deployed"' in lines
    assert "event: end" in lines


def test_a_saved_configuration_is_shown_by_the_same_pages_and_cannot_be_changed(
    open_console: Open,
    tmp_path: Path,
    cloudfront: "CloudFrontClient",
    distribution: str,
    make_group: Callable[..., str],
) -> None:
    group = make_group()
    saved = {
        "distribution.json": cloudfront.get_distribution(Id=distribution),
        "groups.json": cloudfront.list_key_groups(),
        "keys.json": cloudfront.list_public_keys(),
    }
    files = [tmp_path / name for name in saved]
    for file, document in zip(files, saved.values(), strict=True):
        file.write_text(json.dumps(document, default=str))
    page = open_console(SavedAccount("saved files", lambda: read_files(files)), read_only=True)
    assert "made-0" in page.text("/keys")
    assert group in page.text("/groups")
    assert "made-0" in page.text(f"/groups/{group}")
    assert "The &lt;shop&gt;" in page.get("/distributions").text
    assert "*.pdf" in page.text(f"/distributions/{distribution}")
    assert f'data-id="{group}"' in page.get("/trust/drawing").text
    assert page.get("/live").status_code == page.get("/link").status_code == page.get("/why").status_code == 200
    assert "read-only" in plain(page.post(f"/groups/{group}/delete"))
    listed = page.text("/rotation")
    assert "a saved configuration, without ssm" in listed
    assert "made-0" not in listed
    assert "group-0" in listed
    assert "saved configuration" in plain(page.get(f"/rotation/{group}"))
