"""The facts in a request itself: its URL, its cookies and its signing parameters."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, cast

from keyfront.core.urls import SIGNING_PARAMETERS
from keyfront.core.verification import ViewerRequest, credentials_of
from keyfront.explain import hiding
from keyfront.explain.base64_readings import Reading, readings, strict
from keyfront.explain.unreadable import base64_problem

_MOST_POLICY_BYTES: Final = 16_384
_COOKIE: Final = "CloudFront-"
_ATTRIBUTES: Final = frozenset({"domain", "path", "secure", "httponly", "samesite", "max-age", "partitioned"})
_SHORT_ID = re.compile(r"K[A-Z0-9]{3,11}")
"""The beginning of a public key's id, which has 14 characters."""
_LIKELY_ID = re.compile(r"(?:K|APKA)[A-Z0-9]+")
_IN_BASE64 = re.compile(r"[A-Za-z0-9~_+/=-]+")


@dataclass(frozen=True)
class RequestFacts:
    """A request, and the values read from it."""

    request: ViewerRequest

    @cached_property
    def _presented(self) -> tuple[dict[str, str], str]:
        return credentials_of(self.request)

    @property
    def given(self) -> Mapping[str, str]:
        """Return the signing parameters that count, percent-decoded, by their query names."""
        return self._presented[0]

    @property
    def url(self) -> str:
        """Return the requested URL without the signing parameters."""
        return self._presented[1]

    @cached_property
    def sent(self) -> tuple[tuple[str, str], ...]:
        """Return the name and value of every query parameter as sent, not decoded."""
        query = self.request.url.partition("?")[2]
        parts = (part.partition("=") for part in query.split("&")) if query else ()
        return tuple((name, value) for name, _, value in parts)

    @cached_property
    def cookies(self) -> tuple[tuple[str, str], ...]:
        """Return every cookie as sent."""
        parts = (part.strip().partition("=") for part in self.request.cookie.split(";"))
        return tuple((name, value) for name, _, value in parts if name)

    @cached_property
    def signed_cookies(self) -> Mapping[str, str]:
        """Return CloudFront's cookies by their query names, whether they count or not; the first of each name."""
        found: dict[str, str] = {}
        for name, value in self.cookies:
            if name.startswith(_COOKIE) and name.removeprefix(_COOKIE) in SIGNING_PARAMETERS:
                found.setdefault(name.removeprefix(_COOKIE), value)
        return found

    @cached_property
    def attributes(self) -> Mapping[str, str]:
        """Return the attributes of pasted Set-Cookie lines, by names in lower case; empty for a Cookie header."""
        found = {name.lower(): value for name, value in self.cookies if name.lower() in _ATTRIBUTES}
        return found if self.signed_cookies else {}

    @cached_property
    def by_url(self) -> bool:
        """Return whether the URL has a signing parameter, so that cookies do not count."""
        return any(name in SIGNING_PARAMETERS for name, _ in self.sent)

    @property
    def by_cookies(self) -> bool:
        """Return whether the signature that counts is in cookies."""
        return not self.by_url and bool(self.given)

    def called(self, name: str) -> str:
        """Return a signing parameter's name as it was sent."""
        return name if self.by_url else f"the cookie CloudFront-{name}"

    @cached_property
    def host(self) -> str:
        """Return the requested host in lower case, with its port."""
        return self.request.url.partition("://")[2].partition("?")[0].partition("/")[0].lower()

    @cached_property
    def scheme(self) -> str:
        """Return `http` or `https`."""
        return self.request.url.partition("://")[0].lower()

    @cached_property
    def path(self) -> str:
        """Return the path as sent."""
        _, slash, path = self.url.partition("://")[2].partition("?")[0].partition("/")
        return slash + path or "/"

    @property
    def size(self) -> int:
        """Return the URL's size in bytes."""
        return len(self.request.url.encode("utf-8", "surrogatepass"))

    @property
    def key_pair_id(self) -> str:
        """Return the request's key-pair id, or an empty string."""
        return self.given.get("Key-Pair-Id", "")

    @property
    def shown_id(self) -> str:
        """Return the request's key-pair id, shortened if it may be a key."""
        return hiding.key_pair_id(self.key_pair_id)

    @property
    def has_likely_id(self) -> bool:
        """Return whether the key-pair id has the form of a public key's id, or of an old account key pair's."""
        return _LIKELY_ID.fullmatch(self.key_pair_id) is not None

    @property
    def custom(self) -> bool:
        """Return whether a custom policy counts."""
        return "Policy" in self.given

    @cached_property
    def policy_readings(self) -> tuple[Reading, ...]:
        """Return the bytes of a custom policy in every possible reading."""
        text = self.given.get("Policy", "")
        found = [each for each in readings(text) if len(each.data) <= _MOST_POLICY_BYTES]
        if text.lstrip().startswith("{"):
            found.append(Reading(text.encode("utf-8", "surrogateescape"), "not-encoded"))
        # A wrong alphabet also gives bytes. A reading that begins like JSON is more likely.
        found.sort(key=lambda each: not each.data.lstrip().startswith((b"{", b"\xef\xbb\xbf{")))
        return tuple(found)

    @cached_property
    def policy_text(self) -> str:
        """Return the custom policy as text in its likeliest reading, or an empty string."""
        return self.policy_readings[0].data.decode("utf-8", "replace") if self.policy_readings else ""

    @cached_property
    def document(self) -> object:
        """Return the custom policy as JSON, or `None` if it is not JSON."""
        try:
            return cast(object, json.loads(self.policy_text))
        except (ValueError, RecursionError):
            return None

    @cached_property
    def statement(self) -> Mapping[str, object]:
        """Return the custom policy's first statement, even if malformed; empty if there is none."""
        document = self.document
        statement = document.get("Statement") if isinstance(document, dict) else None
        first = statement[0] if isinstance(statement, list) and statement else statement
        return first if isinstance(first, dict) else {}

    def condition(self, name: str, member: str) -> object:
        """Return a value in the custom policy's `Condition`; `None` if it is missing."""
        condition = self.statement.get("Condition")
        value = condition.get(name) if isinstance(condition, dict) else None
        return value.get(member) if isinstance(value, dict) else None

    @cached_property
    def expires_number(self) -> int | None:
        """Return the expiry as a number, valid or not."""
        value = self.condition("DateLessThan", "AWS:EpochTime") if self.custom else self.given.get("Expires", "")
        if isinstance(value, str):
            value = int(value) if value.isascii() and value.isdigit() and len(value) <= 19 else None
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    @property
    def signature_text(self) -> str:
        """Return the signature as given, percent-decoded."""
        return self.given.get("Signature", "")

    @property
    def signature_problem(self) -> str:
        """Return why the signature cannot be decoded, in words; empty if it can."""
        text = self.signature_text
        return base64_problem(text) if text and strict(text) is None else ""

    @cached_property
    def signature_readings(self) -> tuple[Reading, ...]:
        """Return the bytes of the signature in every possible reading."""
        return readings(self.signature_text)[:6] if len(self.signature_text) < 4096 else ()

    def resource(self) -> str | None:
        """Return the custom policy's `Resource`, valid or not."""
        value = self.statement.get("Resource")
        return value if isinstance(value, str) else None

    @cached_property
    def cut_in(self) -> str:
        """Return the signing parameter in which the URL ends too early; empty if it does not seem to be cut off.

        A link that ends at a & is not meant here: then the parameters that are there are whole.
        """
        if not self.by_url:
            return ""
        names = [name for name, _ in self.sent]
        last, value = self.sent[-1]
        if last not in SIGNING_PARAMETERS:
            meant = [name for name in SIGNING_PARAMETERS if len(last) > 2 and name.startswith(last)]
            return meant[0] if meant and not value else ""
        if last == "Key-Pair-Id":
            return last if _SHORT_ID.fullmatch(value) else ""
        if "Key-Pair-Id" in names or not value:
            return ""
        return last if self._is_short(last) else ""

    def _is_short(self, name: str) -> bool:
        text = self.given.get(name, "")
        if name == "Expires":
            return text.isdigit() and 3 < len(text) < 10
        if not _IN_BASE64.fullmatch(text):
            return False
        if name == "Policy":
            return "Signature" not in self.given and self.document is None
        # Of an RSA key of 2,048 bits, or else of an ECDSA key, whose first byte says how long it is.
        data = max(
            (each.data for each in (*readings(text), *readings(text[: len(text) // 4 * 4]))), key=len, default=b""
        )
        return name == "Signature" and len(data) < 256 and not (data[:1] == b"\x30" and data[1] + 2 == len(data))

    def names_of(self) -> Iterator[str]:
        """Yield the name of every query parameter, as sent."""
        return (name for name, _ in self.sent)
