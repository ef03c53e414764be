"""Reads the origins of protected content: buckets, the KMS keys that encrypt them, and function URLs."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, Final

from keyfront.account.audit.reading import Client, Notes, or_none, parsed_policy
from keyfront.account.audit.values import Bucket, EncryptionKey, FunctionURL

_EVERYBODY: Final = ("global/AllUsers", "global/AuthenticatedUsers")
_MOST_OBJECTS: Final = 1000
_AWS_KEY: Final = "alias/aws/s3"


def read_bucket(client: Client, name: str, notes: Notes) -> Bucket:
    """Return a bucket's policy, public access block, ACL, default encryption and first objects.

    Access points and object ACLs are not checked.
    """
    s3 = client("s3")
    policy = blocked = grants = None
    with notes.asking(f"policy of bucket {name}", "s3:GetBucketPolicy"):
        answer = or_none(lambda: s3.get_bucket_policy(Bucket=name))
        policy = parsed_policy(answer["Policy"]) if answer else {}
    with notes.asking(f"public access block of bucket {name}", "s3:GetBucketPublicAccessBlock"):
        answer = or_none(lambda: s3.get_public_access_block(Bucket=name))
        blocked = answer["PublicAccessBlockConfiguration"] if answer else {}
    with notes.asking(f"ACL of bucket {name}", "s3:GetBucketAcl"):
        grants = tuple(
            each["Permission"]
            for each in s3.get_bucket_acl(Bucket=name)["Grants"]
            if each["Grantee"].get("URI", "").endswith(_EVERYBODY)
        )
    key = objects = None
    with notes.asking(f"encryption of bucket {name}", "s3:GetEncryptionConfiguration"):
        key = _kms_key(or_none(lambda: s3.get_bucket_encryption(Bucket=name)))
    with notes.asking(f"objects of bucket {name}", "s3:ListBucket"):
        listed = s3.list_objects_v2(Bucket=name, MaxKeys=_MOST_OBJECTS)
        objects = tuple(each["Key"] for each in listed.get("Contents", ()))
    return Bucket(name, policy, blocked, grants, key, objects)


def _kms_key(answer: Any) -> str:
    """Return the KMS key of a bucket's default encryption; empty if S3 encrypts with keys of its own."""
    rules = (answer or {}).get("ServerSideEncryptionConfiguration", {}).get("Rules", ())
    for rule in rules:
        default = rule.get("ApplyServerSideEncryptionByDefault", {})
        if str(default.get("SSEAlgorithm", "")).startswith("aws:kms"):
            return str(default.get("KMSMasterKeyID") or _AWS_KEY)
    return ""


def read_encryption_keys(client: Client, names: Iterable[str], notes: Notes) -> Iterator[EncryptionKey]:
    """Yield the KMS keys that buckets name."""
    for name in dict.fromkeys(names):
        if name.removeprefix("arn:").rpartition(":")[2].startswith("alias/aws/"):
            yield EncryptionKey(name, managed_by_aws=True)
            continue
        key = EncryptionKey(name)
        with notes.asking(f"KMS key {name}", "kms:DescribeKey, kms:GetKeyPolicy"):
            kms = client("kms")
            about = kms.describe_key(KeyId=name)["KeyMetadata"]
            policy = parsed_policy(kms.get_key_policy(KeyId=about["KeyId"], PolicyName="default")["Policy"])
            key = EncryptionKey(name, about["Arn"], about["KeyState"], about.get("KeyManager") == "AWS", policy)
        yield key


def read_function_urls(client: Client, hosts: Iterable[str], notes: Notes) -> Iterator[FunctionURL]:
    """Yield the function URLs with these hosts. Functions of other regions are not found."""
    wanted = set(hosts)
    if not wanted:
        return
    with notes.asking("function URLs", "lambda:ListFunctions, lambda:ListFunctionUrlConfigs"):
        functions = client("lambda")
        for page in functions.get_paginator("list_functions").paginate():
            for function in page["Functions"]:
                ask = partial(functions.list_function_url_configs, FunctionName=function["FunctionName"])
                for each in (or_none(ask) or {}).get("FunctionUrlConfigs", ()):
                    host = each["FunctionUrl"].partition("://")[2].partition("/")[0]
                    if host in wanted:
                        yield FunctionURL(host, function["FunctionName"], each["AuthType"])
