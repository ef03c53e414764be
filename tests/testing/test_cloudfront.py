"""`keyfront.testing`: a CloudFront in this process, as other people's tests use it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from tests.keys import shared_rsa
from tests.servers import Quiet, http_server

from keyfront.errors import InputError
from keyfront.testing import CloudFront, assert_allowed, assert_refused

pytest_plugins = ["pytester"]
BOOK = b"the whole book"


@pytest.fixture(scope="module")
def _running() -> Iterator[CloudFront]:
    with CloudFront(shared_rsa()) as running:
        yield running


@pytest.fixture
def cloudfront(_running: CloudFront) -> CloudFront:
    _running.reset()
    return _running


def test_files_are_private_until_the_url_is_signed(cloudfront: CloudFront) -> None:
    site = cloudfront.distribution({"shelf/book.epub": BOOK})
    reply = assert_refused(site.url_of("shelf/book.epub"), "not-signed")
    assert (reply.status, reply.reason) == (403, "missing-key-pair-id")
    for cache in ("Miss", "Hit"):
        reply = assert_allowed(site.sign("shelf/book.epub"))
        assert (reply.status, reply.body) == (200, BOOK)
        assert reply.headers["content-type"] == "application/epub+zip"
        assert reply.headers["x-cache"] == f"{cache} from cloudfront"
    assert assert_allowed(site.sign("shelf/other.epub")).status == 404
    cookies = site.cookies("shelf/*")
    assert assert_allowed(site.url_of("shelf/book.epub"), cookies=cookies).text == BOOK.decode()
    assert_refused(site.url_of("book.epub"), cookies=cookies)


def test_behaviors_say_what_is_public(cloudfront: CloudFront) -> None:
    site = cloudfront.distribution(
        {"covers/1.jpg": b"jpg", "plain.txt": b"txt"},
        behaviors={"covers/*": "public", "plain.txt": {"ViewerProtocolPolicy": "allow-all"}},
    )
    assert assert_allowed(site.url_of("covers/1.jpg")).body == b"jpg"
    plain = site.url_of("plain.txt").replace("https:", "http:")
    assert_refused(plain, "not-signed")
    assert assert_allowed(site.signer.sign_url(plain, expires=timedelta(minutes=1))).body == b"txt"
    redirect = cloudfront.get(site.url_of("covers/1.jpg").replace("https:", "http:"))
    assert (redirect.status, redirect.headers["location"]) == (301, site.url_of("covers/1.jpg"))
    assert not redirect.allowed
    assert cloudfront.get(site.url_of("covers/1.jpg"), method="HEAD").body == b""


def test_the_clock_moves_for_the_signer_and_the_edge(cloudfront: CloudFront) -> None:
    site = cloudfront.distribution({"a": b"1"})
    cloudfront.clock.freeze(datetime(2030, 1, 1, tzinfo=UTC))
    link = site.sign("a", expires=timedelta(hours=1))
    assert f"Expires={int(datetime(2030, 1, 1, 1, tzinfo=UTC).timestamp())}" in link
    assert_allowed(link)
    cloudfront.clock.move(timedelta(hours=1, seconds=1))
    assert_refused(link, "expired")
    with pytest.raises(ValueError, match="no time zone"):
        cloudfront.clock.freeze(datetime(2030, 1, 1))  # noqa: DTZ001
    cloudfront.reset()
    assert abs(cloudfront.clock() - datetime.now(UTC).timestamp()) < 60


def test_a_change_through_boto3_is_in_use_at_once(cloudfront: CloudFront) -> None:
    site = cloudfront.distribution({"a": b"1"})
    link = site.sign("a")
    assert_allowed(link)
    session = boto3.Session("test", "test", region_name="us-east-1")
    client: Any = session.client("cloudfront", endpoint_url=cloudfront.environment["AWS_ENDPOINT_URL_CLOUDFRONT"])
    assert client.get_distribution(Id=site.id)["Distribution"]["Status"] == "Deployed"
    found = client.get_distribution_config(Id=site.id)
    config = found["DistributionConfig"]
    config["DefaultCacheBehavior"]["TrustedKeyGroups"] = {"Enabled": False, "Quantity": 0}
    client.update_distribution(Id=site.id, IfMatch=found["ETag"], DistributionConfig=config)
    assert_allowed(site.url_of("a"))
    batch = {"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": "1"}
    made = client.create_invalidation(DistributionId=site.id, InvalidationBatch=batch)["Invalidation"]
    assert client.get_invalidation(DistributionId=site.id, Id=made["Id"])["Invalidation"]["Status"] == "Completed"
    assert assert_allowed(site.url_of("a")).headers["x-cache"] == "Miss from cloudfront"


def test_a_reset_leaves_nothing(cloudfront: CloudFront) -> None:
    site = cloudfront.distribution({"a": b"1"})
    cloudfront.reset()
    assert cloudfront.get(site.sign("a")).status == 403
    assert cloudfront.client.list_distributions()["DistributionList"]["Quantity"] == 0
    (group,) = cloudfront.client.list_key_groups()["KeyGroupList"]["Items"]
    assert group["KeyGroup"]["KeyGroupConfig"]["Items"] == [cloudfront.signer.key_pair_id]
    assert_allowed(cloudfront.distribution({"a": b"2"}).sign("a"))


class _Hello(Quiet):
    def do_GET(self) -> None:
        self.answer(200, f"hello {self.path}".encode())


def test_a_web_server_of_ones_own_is_the_origin(cloudfront: CloudFront) -> None:
    with http_server(_Hello) as port:
        site = cloudfront.distribution(origin=f"http://127.0.0.1:{port}/app")
        assert assert_allowed(site.sign("page?x=1")).text == "hello /app/page"


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"origin": "https://shop.example"}, "is not a web server of this machine"),
        ({"origin": "http://127.0.0.1:8000", "files": {"a": b""}}, "either files or an origin"),
        ({"behaviors": {"*": "open"}}, "'open' is not a behavior"),
    ],
)
def test_what_cannot_be_meant_is_refused(cloudfront: CloudFront, given: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        cloudfront.distribution(**given)


def test_the_apis_own_refusals_arrive(cloudfront: CloudFront) -> None:
    with pytest.raises(ClientError, match=r"InvalidViewerCertificate|InvalidArgument"):
        cloudfront.distribution({"a": b""}, Aliases={"Quantity": 1, "Items": ["not a name"]})
    with pytest.raises(InputError, match="has the scheme 'ftp'"):
        cloudfront.get("ftp://a.example/")


def test_a_failed_assertion_explains_itself(cloudfront: CloudFront) -> None:
    site = cloudfront.distribution({"a": b"1"})
    with pytest.raises(AssertionError) as raised:
        assert_allowed(site.sign("a").replace("Signature=", "Signature=x"))
    assert "refused (403, " in str(raised.value)
    assert "   fix: " in str(raised.value)
    with pytest.raises(AssertionError, match=r"allowed \(200\), and it should be refused"):
        assert_refused(site.sign("a"))
    with pytest.raises(AssertionError, match=r"refused as missing-key-pair-id \(not-signed\), and not as expired"):
        assert_refused(site.url_of("a"), "expired")


@pytest.mark.large
def test_an_empty_project_has_the_fixtures(pytester: pytest.Pytester) -> None:
    page = (Path(__file__).parents[2] / "docs" / "testing.md").read_text("utf-8")
    with_fixtures, with_unittest = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    after = "\n\ndef test_the_next_begins_empty(cloudfront):\n"
    after += "    assert cloudfront.client.list_distributions()['DistributionList']['Quantity'] == 0\n"
    pytester.makepyfile(test_fixtures=with_fixtures + after, test_unittest=with_unittest)
    pytester.runpytest_subprocess("-W", "error", "-n", "2", "-p", "xdist").assert_outcomes(passed=3)


@pytest.mark.large
def test_no_cloudfront_is_said_plainly(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest
        from keyfront.errors import InputError
        from keyfront.testing import assert_allowed


        def test_it():
            with pytest.raises(InputError, match="use the fixture cloudfront"):
                assert_allowed("https://a.example/")
        """
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=1)
