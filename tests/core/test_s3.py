"""Amazon S3's host names, for the edge, the audit, explain and the signer alike."""

import pytest

from keyfront.core.s3 import S3Host, is_s3, s3_host


@pytest.mark.parametrize(
    ("host", "named"),
    [
        ("media.s3.amazonaws.com", S3Host("media", "us-east-1", website=False)),
        ("media.s3.eu-west-1.amazonaws.com", S3Host("media", "eu-west-1", website=False)),
        ("media.s3-eu-west-1.amazonaws.com", S3Host("media", "eu-west-1", website=False)),
        ("media.s3.dualstack.us-gov-west-1.amazonaws.com", S3Host("media", "us-gov-west-1", website=False)),
        ("a.b.s3.cn-north-1.amazonaws.com.cn", S3Host("a.b", "cn-north-1", website=False)),
        ("a.s3.b.s3.eu-west-1.amazonaws.com", S3Host("a.s3.b", "eu-west-1", website=False)),
        ("my-s3.s3.amazonaws.com", S3Host("my-s3", "us-east-1", website=False)),
        ("s3.eu-west-1.amazonaws.com", S3Host("", "eu-west-1", website=False)),
        ("s3.amazonaws.com", S3Host("", "us-east-1", website=False)),
        ("media.s3-website-eu-west-1.amazonaws.com", S3Host("media", "", website=True)),
        ("media.s3-website.eu-central-1.amazonaws.com", S3Host("media", "", website=True)),
        ("media.s3-accelerate.amazonaws.com", S3Host("media", "", website=False)),
        ("shop-123.s3-accesspoint.eu-west-1.amazonaws.com", S3Host("shop-123", "", website=False)),
    ],
)
def test_a_host_of_s3s_names_a_bucket_and_a_region(host: str, named: S3Host) -> None:
    assert s3_host(host) == named
    assert is_s3(host)
    assert is_s3(f"{host}:443")


@pytest.mark.parametrize(
    "host",
    [
        "media.example.com",
        "d111111abcdef8.cloudfront.net",
        "s3.example.com",
        "notes3.amazonaws.com",
        "amazonaws.com",
        "",
    ],
)
def test_any_other_host_is_not_s3s(host: str) -> None:
    assert s3_host(host) is None
    assert not is_s3(host)
