"""Public keys and key groups on the console's pages, against the laptop's CloudFront."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.console.conftest import Browser, plain
from tests.keys import shared_rsa

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient


def test_a_key_is_imported_and_listed_with_its_facts(page: Browser, cloudfront: "CloudFrontClient") -> None:
    key = shared_rsa().public_key
    answer = page.post("/keys", name="shop-2030", comment="for the shop", pem=key.pem)
    assert answer.status_code == 200
    assert "Imported shop-2030 as K" in answer.text
    listed = cloudfront.list_public_keys()["PublicKeyList"]["Items"][0]
    text = page.text("/keys")
    for told in ("shop-2030", listed["Id"], "RSA 2048", key.fingerprint[:19], "for the shop", "just now", "none"):
        assert told in text


def test_a_private_key_is_refused_and_never_shown_again(page: Browser, cloudfront: "CloudFrontClient") -> None:
    pem = shared_rsa().pem()
    answer = page.post("/keys", name="oops", pem=pem)
    assert answer.status_code == 400
    assert "This is a private key" in answer.text
    assert pem.splitlines()[1] not in answer.text
    assert 'value="oops"' in answer.text
    assert not cloudfront.list_public_keys()["PublicKeyList"]["Quantity"]


def test_what_is_wrong_with_a_key_is_said_and_the_form_keeps_what_was_entered(page: Browser) -> None:
    answer = page.post("/keys", name="<b>bold</b>", comment="c", pem="not a key")
    assert answer.status_code == 400
    assert "&lt;b&gt;bold&lt;/b&gt;" in answer.text
    assert "<b>bold" not in answer.text
    assert "not a key" in answer.text


def test_a_group_is_created_filled_and_emptied_but_not_of_its_last_key(
    page: Browser, make_key: Callable[[], str]
) -> None:
    first, second = make_key(), make_key()
    answer = page.post("/groups", name="signers", key=[first])
    assert "Created signers" in answer.text
    group = str(answer.url.path)
    assert f"signers now has {second}" in plain(page.post(f"{group}/add", key=second))
    assert f"{second} was already in signers" in plain(page.post(f"{group}/add", key=second))
    assert f"Removed {first} from signers" in plain(page.post(f"{group}/remove", key=first))
    refused = page.post(f"{group}/remove", key=second)
    assert refused.status_code == 409
    assert f"{second} is the last key of signers" in refused.text
    assert "Deleted signers" in plain(page.post(f"{group}/delete"))


def test_what_is_in_the_way_of_deleting_is_named_with_a_link(
    page: Browser, make_key: Callable[[], str], make_group: Callable[..., str], trusting: Callable[..., str]
) -> None:
    key = make_key()
    group = make_group(key)
    distribution = trusting(group)
    shown = page.get(f"/keys/{key}")
    assert "In the way" in shown.text
    assert f'href="/groups/{group}"' in shown.text
    refused = page.post(f"/keys/{key}/delete")
    assert refused.status_code == 409
    assert f"The key {key} is still in" in refused.text
    refused = page.post(f"/groups/{group}/delete")
    assert refused.status_code == 409
    assert f"is still trusted by {distribution}" in refused.text
    assert f'href="/distributions/{distribution}"' in refused.text


def test_a_comment_is_saved_unless_someone_else_was_faster_and_then_both_are_shown(
    page: Browser, make_key: Callable[[], str], cloudfront: "CloudFrontClient"
) -> None:
    key = make_key()
    etag = cloudfront.get_public_key_config(Id=key)["ETag"]
    assert "The comment is saved" in page.post(f"/keys/{key}/comment", comment="theirs", etag=etag).text
    stale = page.post(f"/keys/{key}/comment", comment="mine", etag=etag)
    assert stale.status_code == 409
    assert "<strong>theirs</strong>" in stale.text
    assert 'value="mine"' in stale.text
    again = cloudfront.get_public_key_config(Id=key)["ETag"]
    assert f'value="{again}"' in stale.text
    page.post(f"/keys/{key}/comment", comment="mine", etag=again)
    assert cloudfront.get_public_key_config(Id=key)["PublicKeyConfig"]["Comment"] == "mine"


def test_keys_are_listed_by_the_api_s_own_pages(page: Browser, make_key: Callable[[], str]) -> None:
    made = [make_key() for _ in range(3)]
    listed = page.get("/keys").text
    assert all(key in listed for key in made)
    assert made[0] not in page.get(f"/keys?marker={made[0]}").text
    assert page.get("/keys?marker=nonsense").status_code in (200, 400)


def test_a_key_or_group_that_is_gone_is_said_to_be(page: Browser) -> None:
    for path in ("/keys/KGONE", "/groups/gone"):
        answer = page.get(path)
        assert answer.status_code == 400
        assert "it may have been deleted" in answer.text
