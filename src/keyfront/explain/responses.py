"""The sender of a response: CloudFront's signature check, CloudFront for another reason, S3, or something else.

All of them return 403, with different bodies and headers. Sources: Developer Guide, "HTTP 403 status code (Permission
Denied)"; Amazon S3 API reference, "Error responses"; public bug reports for the wording of the pages.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal[
    "viewer-check", "geo-block", "waf-block", "method", "bad-request", "cloudfront-page", "s3", "other", "success"
]

_VIEWER_CHECK = frozenset({"MissingKey", "InvalidKey", "MalformedPolicy", "MalformedSignature", "AccessDenied"})
_ELEMENT = {name: re.compile(rf"<{name}>(.*?)</{name}>", re.DOTALL) for name in ("Code", "Message", "RequestId")}
_JSON_MEMBER = {name: re.compile(rf'"{name}"\s*:\s*"([^"]*)"', re.IGNORECASE) for name in ("Code", "Message")}
_OF_S3 = re.compile(r"<(?:RequestId|HostId|AWSAccessKeyId|StringToSign|BucketName|Bucket|Key)>")
_LIKE_A_CODE = re.compile(r"[A-Za-z][A-Za-z.]{0,63}")
_FIXED_WORDS = re.compile(r"[A-Za-z ,.'\-]{1,300}")
_HIDDEN = "…"
_PAGES: tuple[tuple[str, Kind], ...] = (
    ("configured to block access from your country", "geo-block"),
    ("request blocked", "waf-block"),
    ("not configured to allow the http request method", "method"),
    ("bad request", "bad-request"),
)


@dataclass(frozen=True, slots=True)
class Response:
    """A response: its status (0 if unknown), headers with lower-case names, and the body's text."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""

    @property
    def code(self) -> str:
        """Return the `Code` of an XML or JSON error, or an empty string; `…` if it does not look like a code."""
        code = _element(self.body, "Code")
        return code if not code or _LIKE_A_CODE.fullmatch(code) else _HIDDEN

    @property
    def message(self) -> str:
        """Return CloudFront's or S3's error message, or an empty string.

        Other messages become `…`, as do those with a name, a number or an address in them: an application's error may
        contain personal data of the viewer.
        """
        message = _element(self.body, "Message")
        fixed = self.kind in ("viewer-check", "s3") and _FIXED_WORDS.fullmatch(message)
        return message if not message or fixed else _HIDDEN

    @property
    def kind(self) -> Kind:
        """Return which service sent the response, judged by its body and headers."""
        if 200 <= self.status < 400:
            return "success"
        if self.code:
            if _OF_S3.search(self.body) or "x-amz-request-id" in self.headers:
                return "s3"
            return "viewer-check" if self.code in _VIEWER_CHECK else "other"
        text = " ".join(self.body.lower().split())
        if "cloudfront" in text:
            return next((kind for words, kind in _PAGES if words in text), "cloudfront-page")
        return "other"

    @property
    def shown(self) -> str:
        """Return the response in one line."""
        parts = [str(self.status) if self.status else "", self.code, self.message[:160]]
        return " ".join(part for part in parts if part) or "a response without an error code"


def _element(body: str, name: str) -> str:
    found = _ELEMENT[name].search(body) or _JSON_MEMBER[name].search(body)
    return " ".join(found[1].split()) if found else ""
