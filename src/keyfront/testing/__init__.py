"""CloudFront for other people's tests: its API, an edge and an origin in the test's process.

    def test_the_book_is_private(cloudfront):
        site = cloudfront.distribution({"book.epub": b"..."})
        assert_refused(site.url_of("book.epub"), "not-signed")
        assert_allowed(site.sign("book.epub"))

pytest has the fixtures `cloudfront`, `signing_key` and `frozen_clock` as soon as keyfront is installed. Other
frameworks use `with CloudFront() as cloudfront`.
"""

from typing import TYPE_CHECKING

from keyfront.lazy import names

if TYPE_CHECKING:
    from keyfront.testing.assertions import assert_allowed, assert_refused
    from keyfront.testing.cloudfront import CloudFront
    from keyfront.testing.sites import Site
    from keyfront.testing.viewer import Reply

__all__ = ["CloudFront", "Reply", "Site", "assert_allowed", "assert_refused"]

__getattr__, __dir__ = names(
    globals(),
    {
        "CloudFront": "cloudfront",
        "Reply": "viewer",
        "Site": "sites",
        "assert_allowed": "assertions",
        "assert_refused": "assertions",
    },
)
