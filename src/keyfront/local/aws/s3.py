"""Extends moto's S3: it evaluates bucket policies and URL signatures, and sends large content from disk."""

import re
import time
from collections.abc import Mapping
from contextlib import suppress
from contextvars import ContextVar
from typing import Any, Final
from urllib.parse import unquote

from moto.core.common_types import TYPE_RESPONSE
from moto.core.utils import str_to_rfc_1123_datetime
from moto.iam.access_control import PermissionResult
from moto.s3.exceptions import (
    MissingBucket,
    MissingKey,
    MissingVersion,
    S3AccessDeniedError,
    S3ClientError,
    S3SignatureDoesNotMatchError,
)
from moto.s3.models import OWNER, FakeBucket, FakeKey
from moto.s3.responses import S3Response
from werkzeug.datastructures import ImmutableMultiDict

from keyfront.edge.origin.endpoint_headers import SOURCE_ARN, SOURCE_HOST
from keyfront.local.aws import bucket_cors, encryption, enforcement, policy_evaluation, presigned
from keyfront.local.aws.file_window import WINDOW, Window
from keyfront.local.aws.objects import opened
from keyfront.local.aws.permissions import Permission
from keyfront.local.aws.policy_evaluation import Caller, Evaluation
from keyfront.local.aws.responses import AWSError

_ACTIONS: Final = {"GET": "Get", "HEAD": "Get", "PUT": "Put", "POST": "Put", "DELETE": "Delete"}
_READS: Final = ("s3:GetObject", "s3:GetObjectVersion")
_ASPECTS: Final = {"acl": "Acl", "tagging": "Tagging", "versionId": "Version"}
_LISTING: Final = {
    *("list-type", "prefix", "delimiter", "marker", "max-keys", "continuation-token", "start-after"),
    *("encoding-type", "fetch-owner", "x-id"),
}
# Assumed: loopback counts as TLS here. Otherwise the usual policy that denies plain HTTP would close every bucket.
_SECURE_TRANSPORT: Final = "true"

_RESULTS: Final = {
    Evaluation.ALLOW: PermissionResult.PERMITTED,
    Evaluation.DENY: PermissionResult.DENIED,
    Evaluation.SILENT: PermissionResult.NEUTRAL,
}
_LISTED_OWNER: Final = re.compile("(<Owner>.*?<ID>)[0-9a-f]+", re.DOTALL)
_verdict: ContextVar[Evaluation] = ContextVar("verdict", default=Evaluation.SILENT)


class S3(S3Response):
    """moto's handler of S3 requests, extended. `dispatcher` uses it instead of moto's."""

    def all_buckets(self) -> TYPE_RESPONSE:
        """Return the account's buckets, with the owner's canonical id as in moto's access control lists.

        In moto the two ids differ. Terraform's `aws_canonical_user_id`, which reads this one, would then never match a
        bucket's list.
        """
        status, headers, body = super().all_buckets()
        return status, headers, _LISTED_OWNER.sub(rf"\g<1>{OWNER}", body.decode() if isinstance(body, bytes) else body)

    def key_response(self, request: Any, full_url: str, headers: dict[str, Any]) -> TYPE_RESPONSE:
        """Answer a request for an object."""
        _tidy(request.environ)
        if request.method == "PUT":
            # moto would parse content of type application/x-www-form-urlencoded as a form.
            request.form = request.files = ImmutableMultiDict()
        status, named, body = self._readable(super().key_response(request, full_url, headers))
        if isinstance(body, Window):
            request.environ[WINDOW] = body
            body = b""
        return status, named, body

    def bucket_response(self, request: Any, full_url: str, headers: Any) -> TYPE_RESPONSE:
        """Answer a request for a bucket."""
        return self._readable(super().bucket_response(request, full_url, headers))

    def _readable(self, response: TYPE_RESPONSE) -> TYPE_RESPONSE:
        """Return the response, and errors too, with the headers of the bucket's CORS rules."""
        bucket, (status, named, body) = self._bucket(), response
        if bucket is None or self.request.method == "OPTIONS":
            return response
        return status, named | bucket_cors.applied(bucket.cors, self.headers.get("Origin"), self.request.method), body

    def _get_cors_headers_other(self) -> dict[str, Any]:
        return {}  # see `_readable`

    def _response_options(self, headers: dict[str, str], bucket_name: str) -> TYPE_RESPONSE:
        del bucket_name
        bucket = self._bucket()
        return 200, bucket_cors.preflight(bucket.cors if bucket else (), headers), ""

    @classmethod
    def _send_response(cls, response: TYPE_RESPONSE | str | bytes) -> TYPE_RESPONSE:
        """Return the response with the name of the server, by which `explain` tells S3's answers from others."""
        status, named, body = super()._send_response(response)
        return status, {**named, "server": "AmazonS3"}, body

    def _key_response(self, request: Any, full_url: str) -> TYPE_RESPONSE:
        _verdict.set(Evaluation.SILENT)
        bucket = self._bucket() if request.method != "OPTIONS" else None
        if bucket is None:
            return super()._key_response(request, full_url)
        caller = self._caller(bucket.account_id)
        self._admit(bucket, caller)
        try:
            answer = super()._key_response(request, full_url)
        except (MissingKey, MissingVersion):
            if self._may_know_names(bucket, caller):
                raise
            raise S3AccessDeniedError from None
        if request.method == "HEAD" and answer[0] == 404 and not self._may_know_names(bucket, caller):
            raise S3AccessDeniedError
        return answer

    def _admit(self, bucket: FakeBucket, caller: Caller) -> None:
        """Raise `S3ClientError` if the caller may not make this request for an object, or not use its KMS key."""
        request, key_name = self.request, self.parse_key_name()
        action = _action(request.method, request.args)
        verdict = _judge(bucket, caller, action, key_name)
        if verdict is Evaluation.DENY or not (caller.kind == "account" or verdict is Evaluation.ALLOW):
            key = self.backend.get_object(self.bucket_name, key_name)
            if verdict is Evaluation.DENY or not _is_public(bucket, key, request):
                raise S3AccessDeniedError
        _verdict.set(verdict)
        if action in _READS:
            key = self.backend.get_object(self.bucket_name, key_name, request.args.get("versionId"))
            if key is not None:
                encryption.check_reading(bucket, key, caller)
        elif action == "s3:PutObject" and not ({"uploadId", "restore", "select"} & request.args.keys()):
            asked = self.headers.get("x-amz-server-side-encryption")
            key_id = self.headers.get("x-amz-server-side-encryption-aws-kms-key-id")
            encryption.check_writing(bucket, key_name, asked, key_id, caller)
            if source := self.headers.get("x-amz-copy-source"):
                self._check_source(source, caller)

    def _check_source(self, source: str, caller: Caller) -> None:
        """Raise `S3ClientError` if the caller may not decrypt the object that is copied, if it exists."""
        path, _, query = source.lstrip("/").partition("?")
        bucket_name, _, key_name = unquote(path).partition("/")
        with suppress(MissingBucket):
            bucket = self.backend.get_bucket(bucket_name)
            key = self.backend.get_object(bucket_name, key_name, query.removeprefix("versionId=") or None)
            if key is not None:
                encryption.check_reading(bucket, key, caller)

    def _may_know_names(self, bucket: FakeBucket, caller: Caller) -> bool:
        """Return whether the caller may learn that an object does not exist. Others get 403.

        Source: S3 API Reference, "GetObject", Permissions (`s3:ListBucket`).
        """
        if caller.kind == "account":
            return enforcement.may(self, Permission("s3:ListBucket", bucket.arn))
        return _may_list(bucket, caller)

    def _bucket_response(self, request: Any, full_url: str) -> str | TYPE_RESPONSE:
        bucket = self._bucket()
        if request.method != "OPTIONS" and (bucket or not self.bucket_name or request.method == "PUT"):
            caller = self._caller(bucket.account_id if bucket else self.current_account)
            lists = bucket is not None and _is_list(request) and _may_list(bucket, caller)
            if caller.kind != "account" and not lists and not _is_signed_form(request):
                raise S3AccessDeniedError
        return super()._bucket_response(request, full_url)

    def _get_key(self, validate_storage_class: bool = True) -> tuple[FakeKey, bool]:
        key, not_modified = super()._get_key(validate_storage_class)
        return (key if not_modified else opened(key)), not_modified

    def _bucket(self) -> FakeBucket | None:
        try:
            return self.backend.get_bucket(self.bucket_name)
        except MissingBucket:
            return None

    def _caller(self, account: str) -> Caller:
        headers = self.headers
        context = {
            "aws:securetransport": _SECURE_TRANSPORT,
            "aws:sourceip": self.request.remote_addr or "",
            "aws:useragent": headers.get("User-Agent", ""),
        }
        if "Referer" in headers:
            context["aws:referer"] = headers["Referer"]
        if SOURCE_HOST in headers:
            # CloudFront signs for the bucket's name, and S3 takes the bucket from the viewer's Host header.
            raise S3SignatureDoesNotMatchError if "Authorization" in headers else MissingBucket(headers[SOURCE_HOST])
        if authorization := headers.get("Authorization"):
            if not authorization.startswith(("AWS4-", "AWS ")):
                raise S3ClientError("InvalidArgument", "Unsupported Authorization Type")
            return policy_evaluation.signed(account, headers.get(SOURCE_ARN), context)
        held = presigned.is_signed(self.request.args, time.time())
        if isinstance(held, AWSError):
            raise S3ClientError(held.code, held.message)
        return policy_evaluation.signed(account, None, context) if held else policy_evaluation.anonymous(context)


def install() -> None:
    """Make moto use this module's result for a bucket policy, since moto's own evaluation ignores the caller."""

    def get_permission(_: FakeBucket, action: str, resource: str) -> PermissionResult:
        del action, resource
        return _RESULTS[_verdict.get()]

    FakeBucket.get_permission = get_permission  # type: ignore[assignment]


def _judge(bucket: FakeBucket, caller: Caller, action: str, key_name: str | None) -> Evaluation:
    if bucket.policy is None:
        return Evaluation.SILENT
    resource = f"{bucket.arn}/{key_name}" if key_name is not None else bucket.arn
    verdict = policy_evaluation.judge(bucket.policy.decode(), caller, action, resource)
    block = bucket.public_access_block
    if caller.kind == "anonymous" and block and block.restrict_public_buckets and verdict is Evaluation.ALLOW:
        return Evaluation.SILENT
    return verdict


def _action(method: str, query: Mapping[str, str]) -> str:
    aspect = next((name for part, name in _ASPECTS.items() if part in query), "")
    return f"s3:{_ACTIONS.get(method, method)}Object{aspect}"


def _is_public(bucket: FakeBucket, key: FakeKey | None, request: Any) -> bool:
    """Return whether an access control list makes an object's content public."""
    block = bucket.public_access_block
    if key is None or key.acl is None or (block and block.ignore_public_acls):
        return False
    return _action(request.method, request.args) == "s3:GetObject" and key.acl.public_read


def _is_list(request: Any) -> bool:
    return request.method in ("GET", "HEAD") and _LISTING.issuperset(request.args.keys())


def _may_list(bucket: FakeBucket, caller: Caller) -> bool:
    verdict = _judge(bucket, caller, "s3:ListBucket", None)
    return verdict is Evaluation.ALLOW or (verdict is Evaluation.SILENT and _is_public_list(bucket))


def _is_public_list(bucket: FakeBucket) -> bool:
    block = bucket.public_access_block
    return bool(bucket.acl and bucket.acl.public_read and not (block and block.ignore_public_acls))


def _is_signed_form(request: Any) -> bool:
    """Return whether it is a browser's upload, which has its signature and the signed policy in the form."""
    names = {name.lower() for name in request.form} if request.method == "POST" else set()
    return not names.isdisjoint({"x-amz-signature", "signature"})


_RANGE: Final = re.compile(r"bytes=(\d+-\d*|-\d+)")


def _tidy(environ: dict[str, Any]) -> None:
    """Remove conditions that S3 ignores and moto cannot handle.

    Source: Amazon S3 API Reference, "GetObject": a condition on an entity tag overrides one on a date. An invalid
    `Range` or date is ignored (RFC 9110, 14.2 and 13.1).
    """
    if not _RANGE.fullmatch(environ.get("HTTP_RANGE", "")):
        environ.pop("HTTP_RANGE", None)
    for tag, date in (("IF_NONE_MATCH", "IF_MODIFIED_SINCE"), ("IF_MATCH", "IF_UNMODIFIED_SINCE")):
        if f"HTTP_{tag}" in environ or not _is_date(environ.get(f"HTTP_{date}", "")):
            environ.pop(f"HTTP_{date}", None)


def _is_date(text: str) -> bool:
    try:
        str_to_rfc_1123_datetime(text)
    except ValueError:
        return False
    return True
