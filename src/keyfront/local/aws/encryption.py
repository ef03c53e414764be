"""Decides whether a caller of S3 may use the KMS key that encrypts an object.

S3 asks KMS in the caller's name, so a bucket policy alone is not enough. Sources: CloudFront Developer Guide, "Restrict
access to an Amazon S3 origin" (SSE-KMS); S3 User Guide, "Using server-side encryption with AWS KMS keys"; KMS Developer
Guide, "Key states of AWS KMS keys". The error texts are those of public reports about CloudFront.

Assumed: HEAD needs the key as GET does; KMS checks the key's policy before its state.
"""

from dataclasses import replace
from typing import Final, Literal

from moto.kms.models import Key, kms_backends
from moto.s3.exceptions import S3ClientError
from moto.s3.models import FakeBucket, FakeKey

from keyfront.local.aws.kms import state_error
from keyfront.local.aws.policy_evaluation import Caller, Evaluation, judge

Use = Literal["kms:Decrypt", "kms:GenerateDataKey"]

_BY_KMS: Final = ("aws:kms", "aws:kms:dsse")
_NOT_SIGNED: Final = (
    "Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4."
)


def check_reading(bucket: FakeBucket, key: FakeKey, caller: Caller) -> None:
    """Raise `S3ClientError` if KMS encrypts the object and `caller` may not decrypt it."""
    if key.encryption in _BY_KMS:
        held_by_bucket = str(key.bucket_key_enabled).lower() == "true"
        _check("kms:Decrypt", key.kms_key_id, caller, bucket, "" if held_by_bucket else f"/{key.name}")


def check_writing(bucket: FakeBucket, name: str, asked: str | None, key_id: str | None, caller: Caller) -> None:
    """Raise `S3ClientError` if KMS is to encrypt a new object and `caller` may not use the key.

    `asked` and `key_id` are the encryption and its key as the request names them. The bucket's default comes next.
    """
    default = (bucket.encryption or {}).get("Rule", {}).get("ApplyServerSideEncryptionByDefault", {})
    if (asked or default.get("SSEAlgorithm")) in _BY_KMS:
        _check("kms:GenerateDataKey", key_id or default.get("KMSMasterKeyID"), caller, bucket, f"/{name}")


def _check(use: Use, key_id: str | None, caller: Caller, bucket: FakeBucket, path: str) -> None:
    if caller.kind == "anonymous" or _is_identity(caller):
        raise S3ClientError("InvalidArgument", _NOT_SIGNED)
    # Amazon's own key for S3 (aws/s3) serves the account alone, and nobody can change its policy.
    key = _find(key_id, bucket) if key_id else None
    verdict = _judge(key, use, caller, bucket, path) if key else Evaluation.SILENT
    if verdict is Evaluation.DENY or (caller.kind == "service" and verdict is Evaluation.SILENT):
        raise S3ClientError("AccessDenied", _may_not(use, caller, bucket, denied=verdict is Evaluation.DENY))
    if key and (error := state_error(key)):
        code, message = error
        raise S3ClientError(f"KMS.{code}", message)


def _is_identity(caller: Caller) -> bool:
    """Return whether it is an origin access identity. Its requests do not have Signature Version 4."""
    return caller.kind == "service" and any(kind == "AWS" for kind, _ in caller.principals)


def _judge(key: Key, use: Use, caller: Caller, bucket: FakeBucket, path: str) -> Evaluation:
    """Return the result of the key's policy. A policy that cannot be read allows nothing."""
    context = {
        **caller.context,
        "kms:viaservice": f"s3.{bucket.region_name}.amazonaws.com",
        "kms:encryptioncontext:aws:s3:arn": f"{bucket.arn}{path}",
    }
    try:
        return judge(key.policy, replace(caller, context=context), use, key.arn)
    except ValueError:
        return Evaluation.SILENT if caller.kind == "account" else Evaluation.DENY


def _find(key_id: str, bucket: FakeBucket) -> Key | None:
    """Return the key that an id, an alias or an ARN names; `None` for Amazon's own. Raises `S3ClientError`."""
    parts = key_id.split(":", 5)
    region, account, name = parts[3:] if len(parts) == 6 else (bucket.region_name, bucket.account_id, key_id)
    if name.startswith("alias/aws/"):
        return None
    found, backends = None, kms_backends[account]
    if region in backends:
        is_alias = name.startswith("alias/")
        plain = backends[region].get_key_id_from_alias(name) if is_alias else name.removeprefix("key/")
        found = backends[region].keys.get(plain or "")
    if found is None:
        kind = "" if name.startswith(("alias/", "key/")) else "key/"
        raise S3ClientError(
            "KMS.NotFoundException", f"Key 'arn:aws:kms:{region}:{account}:{kind}{name}' does not exist"
        )
    return found


def _may_not(use: Use, caller: Caller, bucket: FakeBucket, *, denied: bool) -> str:
    name = "assumed-role/OriginAccessControlRole/EdgeCredentialsProxy"
    who = f"arn:aws:sts::{bucket.account_id}:{name}" if caller.kind == "service" else _named(caller)
    why = (
        "with an explicit deny in a resource-based policy"
        if denied
        else f"because no resource-based policy allows the {use} action"
    )
    return f"User: {who} is not authorized to perform: {use} on the resource associated with this ciphertext {why}"


def _named(caller: Caller) -> str:
    return next((name for _, name in sorted(caller.principals, reverse=True)), "anonymous")
