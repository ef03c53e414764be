"""The sender of a response: CloudFront's signature check, CloudFront for another reason, S3, a function, or another.

Most of them return 403, with different bodies and headers. Sources: Developer Guide, "Troubleshooting error response
status codes in CloudFront" and "Standard log file fields" (x-edge-detailed-result-type, for `X-Cache`); Amazon S3 API
reference, "Error responses"; AWS WAF guide, "CAPTCHA and Challenge"; public bug reports for the wording of the pages.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal

from keyfront.core.verification import error_body, refusal_for

Kind = Literal[
    "viewer-check",
    "geo-block",
    "waf-block",
    "method",
    "bad-request",
    "function",
    "origin-down",
    "cloudfront-page",
    "s3",
    "other",
    "masked",
    "redirect",
    "success",
]

_REFUSALS: Final = tuple(
    refusal_for(reason)
    for reason in ("missing-key-pair-id", "unknown-key", "malformed-policy", "malformed-signature", "expired")
)
_VIEWER_CHECK: Final = frozenset(refusal.code for refusal in _REFUSALS)
_ELEMENT = {
    name: (
        re.compile(rf"<{name}>(.*?)</{name}>", re.DOTALL),
        re.compile(rf'"{name}"\s*:\s*"([^"]*)"', re.IGNORECASE),
        # A bucket's website writes its errors as a list in HTML.
        re.compile(rf"<li>{name}: (.*?)</li>", re.DOTALL),
    )
    for name in ("Code", "Message", "Endpoint")
}
_OF_S3 = re.compile(r"<(?:RequestId|HostId|AWSAccessKeyId|StringToSign|BucketName|Bucket|Key)>|<li>RequestId: ")
_LIKE_A_CODE = re.compile(r"[A-Za-z][A-Za-z.]{0,63}")
_FIXED_WORDS = re.compile(r"[A-Za-z ,.'\-]{1,300}")
_LIKE_A_HOST = re.compile(r"[a-z0-9][a-z0-9.-]{1,120}\.amazonaws\.com(?:\.cn)?")
_HIDDEN = "…"
_FUNCTION_RESULT = re.compile(r"(?:Function|Lambda)[A-Za-z]*(?:Error|Exceeded)")
_FUNCTION_ANSWER = re.compile(r"(?:Function|Lambda)GeneratedResponse")
_PAGES: tuple[tuple[str, Kind], ...] = (
    ("configured to block access from your country", "geo-block"),
    ("request blocked", "waf-block"),
    ("not configured to allow the http request method", "method"),
    ("lambda function", "function"),
    ("cloudfront function", "function"),
    ("wasn't able to connect to the origin", "origin-down"),
    ("wasn't able to resolve the origin domain name", "origin-down"),
    ("failed to contact the origin", "origin-down"),
    ("establish a connection with the origin", "origin-down"),
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
        """Return the `Code` of an XML, JSON or website error, or an empty string; `…` if it is not like a code."""
        code = _element(self.body, "Code") or self._code_of_length
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
    def endpoint(self) -> str:
        """Return the host that S3 redirects to, or an empty string."""
        location = self.headers.get("location", "").partition("://")[2].partition("/")[0]
        return next((each for each in (_element(self.body, "Endpoint"), location) if _LIKE_A_HOST.fullmatch(each)), "")

    def says(self, words: str) -> bool:
        """Return whether the body has `words`, in any case."""
        return words.lower() in " ".join(self.body.lower().split())

    @property
    def result(self) -> str:
        """Return CloudFront's result in `X-Cache`, such as `Error` or `LambdaExecutionError`, or an empty string."""
        result, _, whose = self.headers.get("x-cache", "").partition(" from ")
        return result.strip() if "cloudfront" in whose.lower() else ""

    @property
    def website(self) -> bool:
        """Return whether it is an error page of a bucket's website endpoint."""
        return "<li>RequestId: " in self.body

    @property
    def kind(self) -> Kind:
        """Return which service sent the response, judged by its body and headers."""
        if _FUNCTION_RESULT.fullmatch(self.result) or (self.status >= 300 and _FUNCTION_ANSWER.fullmatch(self.result)):
            return "function"
        if self.headers.get("x-amzn-waf-action"):
            return "waf-block"
        if self.code:
            if self._of_s3:
                return "s3"
            if 200 <= self.status < 400:
                return "success"
            return "viewer-check" if self.code in _VIEWER_CHECK else "other"
        if 200 <= self.status < 400 and self.status != 304:
            if self.status >= 300:
                return "s3" if self._of_s3 or self.endpoint else "redirect"
            return "masked" if self.result == "Error" else "success"
        if self.status == 304:
            return "success"
        text = " ".join(self.body.lower().split())
        if "cloudfront" in text:
            return next((kind for words, kind in _PAGES if words in text), "cloudfront-page")
        return self._kind_of_headers

    @property
    def shown(self) -> str:
        """Return the response in one line."""
        parts = [str(self.status) if self.status else "", self.code, self.message[:160]]
        return " ".join(part for part in parts if part) or "a response without an error code"

    @property
    def _of_s3(self) -> bool:
        if _OF_S3.search(self.body) or "x-amz-request-id" in self.headers:
            return True
        return self.headers.get("server", "") == "AmazonS3" and self.result != "Hit"

    @property
    def _kind_of_headers(self) -> Kind:
        """Return the sender of a response without a body, as a HEAD request gets it."""
        if self.body.strip():
            return "other"
        if self._of_s3:
            return "s3"
        if (
            self._own
            and self.status in (0, 403)
            and self.headers.get("content-type", "text/xml").startswith("text/xml")
        ):
            return "viewer-check"
        return "cloudfront-page" if self._own else "other"

    @property
    def _own(self) -> bool:
        return self.headers.get("server", "").lower() == "cloudfront"

    @property
    def _code_of_length(self) -> str:
        """Return the code of CloudFront's refusal from the length of the body that a HEAD request did not get."""
        if self.body.strip() or not self._own or not self.headers.get("content-type", "").startswith("text/xml"):
            return ""
        return _codes_by_length().get(self.headers.get("content-length", ""), "")


@lru_cache(maxsize=1)
def _codes_by_length() -> Mapping[str, str]:
    return {str(len(error_body(each.code, each.message))): each.code for each in _REFUSALS}


def _element(body: str, name: str) -> str:
    found = next(filter(None, (pattern.search(body) for pattern in _ELEMENT[name])), None)
    return " ".join(found[1].split()) if found else ""
