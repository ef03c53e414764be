"""Private buckets behind distributions, as public reports describe them: the edge, S3 and KMS together."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.keys import shared_rsa
from tests.local.aws.edges import ask, edge_before

from keyfront import Signer
from keyfront.local.controlplane import ControlPlane
from keyfront.local.controlplane.asgi import application as control_plane_app

if TYPE_CHECKING:
    from tests.local.aws.conftest import Running, Start

ROOT = {
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
    "Action": "kms:*",
    "Resource": "*",
}
CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@dataclass
class Films:
    """Three distributions, each before a bucket that only KMS can open."""

    endpoint: Running
    port: int
    key_id: str
    domains: dict[str, str]
    keys: dict[str, str]

    def fetch(self, name: str, path: str = "/a.txt") -> tuple[int, bytes]:
        """The answer to a signed URL."""
        url = f"http://{self.domains[name]}{path}"
        signed = Signer(self.key_id, shared_rsa()).sign_url(url, expires=timedelta(hours=1))
        status, _, body = ask(self.port, self.domains[name], signed.removeprefix(f"http://{self.domains[name]}"))
        return status, body


def reader(cloudfront: Any, name: str) -> tuple[dict[str, Any], str]:
    """An origin access identity for `a`, access controls for the others: members of the origin, and the ARN."""
    if name == "a":
        made = cloudfront.create_cloud_front_origin_access_identity(
            CloudFrontOriginAccessIdentityConfig={"CallerReference": name, "Comment": name}
        )["CloudFrontOriginAccessIdentity"]["Id"]
        identity = f"origin-access-identity/cloudfront/{made}"
        arn = f"arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity {made}"
        return {"S3OriginConfig": {"OriginAccessIdentity": identity}}, arn
    settings = {"SigningProtocol": "sigv4", "SigningBehavior": "always", "OriginAccessControlOriginType": "s3"}
    control = cloudfront.create_origin_access_control(OriginAccessControlConfig={"Name": name, **settings})
    control_id = control["OriginAccessControl"]["Id"]
    return {"S3OriginConfig": {"OriginAccessIdentity": ""}, "OriginAccessControlId": control_id}, ""


def film(endpoint: Running, group: str, name: str) -> tuple[str, str]:
    """A bucket with an object, its KMS key and its distribution; the domain and the key's ARN."""
    s3, kms, cloudfront = (endpoint.client(service) for service in ("s3", "kms", "cloudfront"))
    bucket, key = f"kms-origin-{name}", kms.create_key(Policy=document(ROOT))["KeyMetadata"]["Arn"]
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_object(Bucket=bucket, Key="a.txt", Body=b"a", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    access, identity = reader(cloudfront, name)
    made = cloudfront.create_distribution(
        DistributionConfig={
            "CallerReference": name,
            "Comment": "",
            "Enabled": True,
            "Origins": {
                "Quantity": 1,
                "Items": [{"Id": "o", "DomainName": f"{bucket}.s3.eu-central-1.amazonaws.com", **access}],
            },
            "DefaultCacheBehavior": {
                "TargetOriginId": "o",
                "ViewerProtocolPolicy": "allow-all",
                "CachePolicyId": CACHING_DISABLED,
                "TrustedKeyGroups": {"Enabled": True, "Quantity": 1, "Items": [group]},
            },
        }
    )["Distribution"]
    condition = {"StringEquals": {"AWS:SourceArn": made["ARN"]}}
    allowed = {"Effect": "Allow", "Principal": {"Service": "cloudfront.amazonaws.com"}, "Condition": condition}
    if identity:
        allowed = {"Effect": "Allow", "Principal": {"AWS": identity}}
    reads = {**allowed, "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    s3.put_bucket_policy(Bucket=bucket, Policy=document(reads))
    if name == "c":
        decrypts = {**allowed, "Action": "kms:Decrypt", "Resource": "*"}
        kms.put_key_policy(KeyId=key, PolicyName="default", Policy=document(ROOT, decrypts))
    return made["DomainName"], key


@pytest.fixture(scope="module")
def films(start_endpoint: Start) -> Iterator[Films]:
    plane = ControlPlane(domain_name=lambda identifier: f"{identifier.lower()}.cloudfront.localhost")
    endpoint = start_endpoint(control_plane=control_plane_app(plane))
    cloudfront = endpoint.client("cloudfront")
    key = {"CallerReference": "k", "Name": "k", "EncodedKey": shared_rsa().public_key.pem}
    key_id = cloudfront.create_public_key(PublicKeyConfig=key)["PublicKey"]["Id"]
    group = cloudfront.create_key_group(KeyGroupConfig={"Name": "g", "Items": [key_id]})["KeyGroup"]["Id"]
    made = {name: film(endpoint, group, name) for name in "abc"}
    with edge_before(endpoint) as port:
        domains = {name: domain for name, (domain, _) in made.items()}
        yield Films(endpoint, port, key_id, domains, {name: arn for name, (_, arn) in made.items()})
    endpoint.endpoint.reset()


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("a", 400, b"require AWS Signature Version 4."),
        ("b", 403, b"is not authorized to perform: kms:Decrypt on the resource associated with this ciphertext"),
        ("c", 200, b"a"),
    ],
)
def test_only_the_key_policy_for_this_distribution_opens_the_film(
    films: Films, name: str, status: int, words: bytes
) -> None:
    answered, body = films.fetch(name)
    assert (answered, words in body) == (status, True), body


def test_a_missing_object_is_refused_to_a_reader_without_the_right_to_list(films: Films) -> None:
    status, body = films.fetch("c", "/nobody-put-this-here.txt")
    assert (status, b"<Code>AccessDenied</Code><Message>Access Denied</Message>" in body) == (403, True)


def test_a_disabled_key_opens_nothing(films: Films) -> None:
    kms, key = films.endpoint.client("kms"), films.keys["c"]
    kms.disable_key(KeyId=key)
    status, body = films.fetch("c")
    kms.enable_key(KeyId=key)
    assert (status, b"<Code>KMS.DisabledException</Code>" in body) == (400, True)
