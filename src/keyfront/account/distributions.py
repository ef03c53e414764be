"""An account's distributions as its listing shows them, without a request for each one."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from keyfront.account.api_errors import check_page
from keyfront.inventory import Distribution, parse_distribution

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient


def distributions_page(client: "CloudFrontClient", marker: str = "") -> tuple[list[Distribution], str]:
    """Return one page of the listing, and the next page's marker; empty if it is the last page.

    A listing has no default root object and says nothing about access logs.
    """
    page = client.list_distributions(**({"Marker": marker} if marker else {}))["DistributionList"]
    check_page(page)
    found = [
        parse_distribution(
            item,
            id=item["Id"],
            domain_name=item["DomainName"],
            etag=item.get("ETag", ""),
            arn=item["ARN"],
            status=item["Status"],
            last_modified=item["LastModifiedTime"],
        )
        for item in page.get("Items", [])
    ]
    return found, page.get("NextMarker", "")


def listed_distributions(client: "CloudFrontClient") -> Iterator[Distribution]:
    """Yield every distribution of the account."""
    marker = ""
    while True:
        found, marker = distributions_page(client, marker)
        yield from found
        if not marker:
            return
