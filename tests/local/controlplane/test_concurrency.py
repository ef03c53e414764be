"""Many clients at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient


def _together(count: int, work: Callable[[int], object]) -> Counter[str]:
    """How `count` threads fared that did `work` at the same moment: `done`, or the code of the error."""
    barrier = Barrier(count)

    def one(number: int) -> str:
        barrier.wait(10)
        try:
            work(number)
        except ClientError as error:
            return error.response["Error"]["Code"]
        return "done"

    with ThreadPoolExecutor(count) as pool:
        return Counter(pool.map(one, range(count)))


def test_of_two_updates_with_one_version_exactly_one_wins(
    cloudfront: CloudFrontClient, make_distribution: Callable[..., str]
) -> None:
    made = make_distribution()
    for turn in range(10):
        got = cloudfront.get_distribution_config(Id=made)

        def update(number: int, turn: int = turn, got: Any = got) -> object:
            config: Any = {**got["DistributionConfig"], "Comment": f"{turn} {number}"}
            return cloudfront.update_distribution(Id=made, IfMatch=got["ETag"], DistributionConfig=config)

        assert _together(2, update) == {"done": 1, "PreconditionFailed": 1}
        comment = cloudfront.get_distribution_config(Id=made)["DistributionConfig"]["Comment"]
        assert comment in (f"{turn} 0", f"{turn} 1")


def test_of_many_creations_with_one_name_exactly_one_wins(cloudfront: CloudFrontClient, pems: list[str]) -> None:
    def create(number: int) -> object:
        config: Any = {"CallerReference": f"reference {number}", "Name": "signer", "EncodedKey": pems[number]}
        return cloudfront.create_public_key(PublicKeyConfig=config)

    assert _together(8, create) == {"done": 1, "PublicKeyAlreadyExists": 7}


def test_a_key_is_not_deleted_while_it_enters_a_group(
    cloudfront: CloudFrontClient, make_key: Callable[[], str]
) -> None:
    for turn in range(8):
        key = make_key()
        etag = cloudfront.get_public_key(Id=key)["ETag"]

        def race(number: int, turn: int = turn, key: str = key, etag: str = etag) -> object:
            if number:
                return cloudfront.delete_public_key(Id=key, IfMatch=etag)
            return cloudfront.create_key_group(KeyGroupConfig={"Name": f"group {turn}", "Items": [key]})

        outcome = _together(2, race)
        assert outcome in ({"done": 1, "InvalidArgument": 1}, {"done": 1, "PublicKeyInUse": 1})
