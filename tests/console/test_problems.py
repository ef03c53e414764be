"""What the pages show when CloudFront refuses, is throttled, or is gone."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from tests.console.conftest import Open, plain

from keyfront.console.accounts import LiveAccount

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient


class Refusing:
    """A client whose `refused` operations fail with an error. The others work."""

    def __init__(self, client: "CloudFrontClient", error: Exception, *refused: str) -> None:
        self._client = client
        self._error = error
        self.refused = refused

    def __getattr__(self, name: str) -> Any:
        if name not in self.refused:
            return getattr(self._client, name)

        def refuse(**_: object) -> None:
            raise self._error

        return refuse


def _refusal(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, operation)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("AccessDenied", "cloudfront:ListKeyGroups"),
        ("Throttling", "CloudFront is throttling requests: try again in a minute"),
        ("ExpiredToken", "The AWS session has expired: sign in again"),
    ],
)
def test_a_part_that_is_refused_is_named_and_the_rest_is_shown(
    open_console: Open, cloudfront: "CloudFrontClient", make_key: Callable[[], str], code: str, text: str
) -> None:
    key = make_key()
    client: Any = Refusing(cloudfront, _refusal(code, "ListKeyGroups"), "list_key_groups")
    page = open_console(LiveAccount("an account", lambda: client, lambda _: None))
    shown = page.text("/keys")
    assert text in shown
    assert key in shown
    assert "not known" in shown


def test_a_change_that_is_not_allowed_names_the_action(
    open_console: Open, cloudfront: "CloudFrontClient", make_key: Callable[[], str]
) -> None:
    key = make_key()
    client: Any = Refusing(cloudfront, _refusal("AccessDenied", "CreateKeyGroup"), "create_key_group")
    page = open_console(LiveAccount("an account", lambda: client, lambda _: None))
    answer = page.post("/groups", name="signers", key=key)
    assert answer.status_code == 403
    assert "this needs the IAM action cloudfront:CreateKeyGroup" in answer.text
    assert 'value="signers"' in answer.text
    assert f'value="{key}" checked' in answer.text


def test_the_page_of_an_endpoint_that_is_gone_says_so_and_comes_back(
    open_console: Open, cloudfront: "CloudFrontClient"
) -> None:
    gone = EndpointConnectionError(endpoint_url="http://127.0.0.1:1")
    client: Any = Refusing(cloudfront, gone, "list_public_keys", "list_key_groups", "list_distributions")
    page = open_console(LiveAccount("an account", lambda: client, lambda _: None))
    for path in ("/keys", "/groups", "/distributions", "/alive"):
        answer = page.get(path)
        assert answer.status_code == 502
        assert "The endpoint does not answer" in answer.text
        assert "data-alive" in answer.text
    client.refused = ()
    assert page.get("/alive").status_code == page.get("/keys").status_code == 200


def test_an_unknown_page_is_said_to_be_unknown_without_its_markup(open_console: Open) -> None:
    answer = open_console().get("/<i>")
    assert answer.status_code == 404
    assert "<i>" not in plain(answer)
    assert "The console has nothing at" in answer.text
