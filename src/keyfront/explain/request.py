"""The facts in a request itself: its URL, its cookies and its signing parameters."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, cast

from keyfront.core.urls import SIGNING_PARAMETERS
from keyfront.core.verification import ViewerRequest, credentials_of
from keyfront.explain import hiding
from keyfront.explain.base64_readings import Reading, readings

_MOST_POLICY_BYTES: Final = 16_384
_COOKIE: Final = "CloudFront-"


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
        return len(self.request.url.encode("utf-8", "surrogateescape"))

    @property
    def key_pair_id(self) -> str:
        """Return the request's key-pair id, or an empty string."""
        return self.given.get("Key-Pair-Id", "")

    @property
    def shown_id(self) -> str:
        """Return the request's key-pair id, shortened if it may be a key."""
        return hiding.key_pair_id(self.key_pair_id)

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

    @cached_property
    def signature_readings(self) -> tuple[Reading, ...]:
        """Return the bytes of the signature in every possible reading."""
        return readings(self.signature_text)[:6] if len(self.signature_text) < 4096 else ()

    def resource(self) -> str | None:
        """Return the custom policy's `Resource`, valid or not."""
        value = self.statement.get("Resource")
        return value if isinstance(value, str) else None

    def names_of(self) -> Iterator[str]:
        """Yield the name of every query parameter, as sent."""
        return (name for name, _ in self.sent)
