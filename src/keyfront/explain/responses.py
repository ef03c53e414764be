"""Who answered: CloudFront's viewer check, CloudFront for another reason, S3, or somebody else.

All of them say 403. Their bodies and headers differ. Sources: Developer Guide, "HTTP 403 status code (Permission
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
    """What came back: status (0 if unknown), headers with names in lower case, and the body's text."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""

    @property
    def code(self) -> str:
        """The `Code` of an XML (or JSON) error, or an empty text; `…` for what is like no code."""
        code = _element(self.body, "Code")
        return code if not code or _LIKE_A_CODE.fullmatch(code) else _HIDDEN

    @property
    def message(self) -> str:
        """CloudFront's or S3's own words, or an empty text.

        Anybody else's words are `…`, and so are theirs with a name, a number or an address in them: an application's
        error may speak of the person who asked.
        """
        message = _element(self.body, "Message")
        fixed = self.kind in ("viewer-check", "s3") and _FIXED_WORDS.fullmatch(message)
        return message if not message or fixed else _HIDDEN

    @property
    def kind(self) -> Kind:
        """Who said it, as the body and the headers show."""
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
        """The answer in one line."""
        parts = [str(self.status) if self.status else "", self.code, self.message[:160]]
        return " ".join(part for part in parts if part) or "an answer without an error code"


def _element(body: str, name: str) -> str:
    found = _ELEMENT[name].search(body) or _JSON_MEMBER[name].search(body)
    return " ".join(found[1].split()) if found else ""
