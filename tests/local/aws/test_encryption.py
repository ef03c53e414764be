"""Objects that KMS encrypts: who may read and write them, in the words of S3."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from tests.local.aws.conftest import Headers, Reply, Running

ACCOUNT = "123456789012"
DISTRIBUTION = f"arn:aws:cloudfront::{ACCOUNT}:distribution/E1"
IDENTITY = "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E2"
ROOT = {
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    "Action": "kms:*",
    "Resource": "*",
}
REFUSED = (
    f"User: arn:aws:sts::{ACCOUNT}:assumed-role/OriginAccessControlRole/EdgeCredentialsProxy is not authorized to "
    "perform: {} on the resource associated with this ciphertext because no resource-based policy allows the {} action"
)
NEEDS_V4 = "Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4."


def cloudfront(**changes: Any) -> dict[str, Any]:
    """The statement that the guide shows for a key policy."""
    return {
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*"],
        "Resource": "*",
        "Condition": {"StringEquals": {"AWS:SourceArn": DISTRIBUTION}},
        **changes,
    }


@dataclass
class Films:
    """A bucket whose objects KMS encrypts, and its key."""

    endpoint: "Running"
    signed_for: "Headers"
    s3: Any
    kms: Any
    key: str

    def policy(self, *statements: dict[str, Any]) -> None:
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        self.kms.put_key_policy(KeyId=self.key, PolicyName="default", Policy=document)

    def ask(self, arn: str | None, method: str = "GET", name: str = "film", body: bytes = b"") -> "Reply":
        """A request of CloudFront for a distribution or an identity; `None`: nobody signs it."""
        headers = self.signed_for("s3", X_Amz_Source_Arn=arn) if arn else {}
        return self.endpoint.send(method, f"/films/{name}", body, headers)


@pytest.fixture
def films(endpoint: "Running", signed_for: "Headers") -> Films:
    s3, kms = endpoint.client("s3"), endpoint.client("kms")
    readers = [{"Service": "cloudfront.amazonaws.com"}, {"AWS": IDENTITY}]
    may = [
        {"Effect": "Allow", "Principal": each, "Action": "s3:*", "Resource": ["arn:aws:s3:::films/*"]}
        for each in readers
    ]
    s3.create_bucket(Bucket="films", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_bucket_policy(Bucket="films", Policy=json.dumps({"Version": "2012-10-17", "Statement": may}))
    made = Films(
        endpoint, signed_for, s3, kms, kms.create_key(Policy=json.dumps({"Statement": [ROOT]}))["KeyMetadata"]["Arn"]
    )
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": made.key}
    s3.put_bucket_encryption(
        Bucket="films",
        ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": default}]},
    )
    s3.put_object(Bucket="films", Key="film", Body=b"film")
    return made


def said(reply: "Reply") -> tuple[int, str, str]:
    text = reply.body.decode()
    code, message = (text.partition(f"<{name}>")[2].partition(f"</{name}>")[0] for name in ("Code", "Message"))
    return reply.status, code, message


def test_an_access_control_needs_the_keys_policy_too(films: Films) -> None:
    assert said(films.ask(DISTRIBUTION)) == (403, "AccessDenied", REFUSED.format("kms:Decrypt", "kms:Decrypt"))
    assert films.ask(DISTRIBUTION, "HEAD").status == 403
    films.policy(ROOT, cloudfront())
    assert (films.ask(DISTRIBUTION).body, films.ask(DISTRIBUTION, "HEAD").status) == (b"film", 200)
    assert films.s3.get_object(Bucket="films", Key="film")["Body"].read() == b"film"


@pytest.mark.parametrize(
    ("statement", "status"),
    [
        (cloudfront(Action="kms:*"), 200),
        (cloudfront(Condition={"ArnLike": {"aws:SourceArn": f"arn:aws:cloudfront::{ACCOUNT}:distribution/*"}}), 200),
        (cloudfront(Condition={"StringEquals": {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}}), 200),
        (cloudfront(Condition={"StringEquals": {"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::films/film"}}), 200),
        (cloudfront(Condition={}), 200),
        (cloudfront(Condition={"StringEquals": {"AWS:SourceArn": f"{DISTRIBUTION}OTHER"}}), 403),
        (cloudfront(Condition={"StringEquals": {"AWS:SourceArn": "arn:aws:cloudfront::1:distribution/none"}}), 403),
        (cloudfront(Condition={"StringEquals": {"AWS:SourceAccount": "210987654321"}}), 403),
        (cloudfront(Action="kms:Encrypt"), 403),
        (cloudfront(Principal={"Service": "s3.amazonaws.com"}), 403),
        (cloudfront(Effect="Deny"), 403),
    ],
)
def test_a_key_policy_is_judged_with_its_conditions(films: Films, statement: dict[str, Any], status: int) -> None:
    films.policy(ROOT, statement)
    assert films.ask(DISTRIBUTION).status == status


def test_a_denial_is_told_as_one(films: Films) -> None:
    films.policy(ROOT, cloudfront(), cloudfront(Effect="Deny"))
    assert said(films.ask(DISTRIBUTION))[2].endswith("with an explicit deny in a resource-based policy")


def test_a_key_policy_that_nobody_can_read_opens_nothing(films: Films) -> None:
    films.kms.put_key_policy(KeyId=films.key, PolicyName="default", Policy="{")
    assert films.ask(DISTRIBUTION).status == 403


def test_an_access_identity_never_reads_what_kms_encrypts(films: Films) -> None:
    films.policy(ROOT, cloudfront(Principal={"AWS": IDENTITY}, Condition={}), cloudfront(Principal="*", Condition={}))
    assert said(films.ask(IDENTITY)) == (400, "InvalidArgument", NEEDS_V4)
    films.s3.put_object(Bucket="films", Key="plain", Body=b"plain", ServerSideEncryption="AES256")
    assert films.ask(IDENTITY, name="plain").body == b"plain"


def test_a_key_that_is_disabled_or_waits_for_its_deletion_opens_nothing(films: Films) -> None:
    films.policy(ROOT, cloudfront())
    films.kms.disable_key(KeyId=films.key)
    disabled = (400, "KMS.DisabledException", f"{films.key} is disabled.")
    assert said(films.ask(DISTRIBUTION)) == disabled
    with pytest.raises(ClientError, match="DisabledException"):
        films.s3.get_object(Bucket="films", Key="film")
    with pytest.raises(ClientError, match="DisabledException"):
        films.s3.copy_object(Bucket="films", Key="copy", CopySource="films/film", ServerSideEncryption="AES256")
    films.kms.enable_key(KeyId=films.key)
    assert films.ask(DISTRIBUTION).status == 200
    films.kms.schedule_key_deletion(KeyId=films.key, PendingWindowInDays=7)
    pending = (400, "KMS.KMSInvalidStateException", f"{films.key} is pending deletion.")
    assert said(films.ask(DISTRIBUTION)) == pending
    with pytest.raises(ClientError, match="is pending deletion"):
        films.s3.put_object(Bucket="films", Key="new", Body=b"new")


@pytest.mark.parametrize("settings", [{}, {"SSEKMSKeyId": "alias/aws/s3"}])
def test_amazons_own_key_serves_the_account_alone(films: Films, settings: dict[str, str]) -> None:
    films.s3.delete_bucket_encryption(Bucket="films")
    films.s3.put_object(Bucket="films", Key="own", Body=b"own", ServerSideEncryption="aws:kms", **settings)
    assert films.s3.get_object(Bucket="films", Key="own")["Body"].read() == b"own"
    assert said(films.ask(DISTRIBUTION, name="own"))[:2] == (403, "AccessDenied")


def test_an_upload_through_an_access_control_needs_the_key_too(films: Films) -> None:
    refused = REFUSED.format("kms:GenerateDataKey", "kms:GenerateDataKey")
    assert said(films.ask(DISTRIBUTION, "PUT", "new", b"new")) == (403, "AccessDenied", refused)
    films.policy(ROOT, cloudfront())
    assert films.ask(DISTRIBUTION, "PUT", "new", b"new").status == 200
    assert films.ask(DISTRIBUTION, name="new").body == b"new"


def test_a_key_may_be_named_by_its_alias(films: Films) -> None:
    films.policy(ROOT, cloudfront())
    films.kms.create_alias(AliasName="alias/films", TargetKeyId=films.key)
    arn = films.key.partition(":key/")[0] + ":alias/films"
    films.s3.put_object(Bucket="films", Key="named", Body=b"named", ServerSideEncryption="aws:kms", SSEKMSKeyId=arn)
    assert films.ask(DISTRIBUTION, name="named").body == b"named"


def test_a_key_that_does_not_exist_is_refused(films: Films) -> None:
    with pytest.raises(ClientError, match=r"KMS\.NotFoundException.*key/none' does not exist"):
        films.s3.put_object(Bucket="films", Key="x", Body=b"", ServerSideEncryption="aws:kms", SSEKMSKeyId="none")


def test_who_does_not_sign_never_reads_what_kms_encrypts(films: Films) -> None:
    anybody = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::films/*"}
    films.s3.put_bucket_policy(Bucket="films", Policy=json.dumps({"Statement": [anybody]}))
    assert said(films.ask(None)) == (400, "InvalidArgument", NEEDS_V4)
