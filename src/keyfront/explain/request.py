"""What a request says by itself, whatever is configured: its URL, its cookies and its signing parameters."""

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
    """A request, and what can be read out of it."""

    request: ViewerRequest

    @cached_property
    def _presented(self) -> tuple[dict[str, str], str]:
        return credentials_of(self.request)

    @property
    def given(self) -> Mapping[str, str]:
        """The signing parameters that count, by their query names, percent-decoded."""
        return self._presented[0]

    @property
    def url(self) -> str:
        """What was asked for, without the signing parameters."""
        return self._presented[1]

    @cached_property
    def sent(self) -> tuple[tuple[str, str], ...]:
        """Every query parameter as it was sent: name and value, not decoded."""
        query = self.request.url.partition("?")[2]
        parts = (part.partition("=") for part in query.split("&")) if query else ()
        return tuple((name, value) for name, _, value in parts)

    @cached_property
    def cookies(self) -> tuple[tuple[str, str], ...]:
        """Every cookie as it was sent."""
        parts = (part.strip().partition("=") for part in self.request.cookie.split(";"))
        return tuple((name, value) for name, _, value in parts if name)

    @cached_property
    def signed_cookies(self) -> Mapping[str, str]:
        """CloudFront's cookies, by their query names, whether they count or not; the first of each name."""
        found: dict[str, str] = {}
        for name, value in self.cookies:
            if name.startswith(_COOKIE) and name.removeprefix(_COOKIE) in SIGNING_PARAMETERS:
                found.setdefault(name.removeprefix(_COOKIE), value)
        return found

    @cached_property
    def by_url(self) -> bool:
        """Whether the URL carries a signing parameter, so that cookies do not count."""
        return any(name in SIGNING_PARAMETERS for name, _ in self.sent)

    @property
    def by_cookies(self) -> bool:
        """Whether cookies carry the signature that counts."""
        return not self.by_url and bool(self.given)

    def called(self, name: str) -> str:
        """A signing parameter's name as it stands in what was sent."""
        return name if self.by_url else f"the cookie CloudFront-{name}"

    @cached_property
    def host(self) -> str:
        """The host that was asked, in lower case, with its port."""
        return self.request.url.partition("://")[2].partition("?")[0].partition("/")[0].lower()

    @cached_property
    def scheme(self) -> str:
        """`http` or `https`."""
        return self.request.url.partition("://")[0].lower()

    @cached_property
    def path(self) -> str:
        """The path as sent."""
        _, slash, path = self.url.partition("://")[2].partition("?")[0].partition("/")
        return slash + path or "/"

    @property
    def size(self) -> int:
        """Bytes of the URL."""
        return len(self.request.url.encode("utf-8", "surrogateescape"))

    @property
    def key_pair_id(self) -> str:
        """The id that the request names, or an empty text."""
        return self.given.get("Key-Pair-Id", "")

    @property
    def shown_id(self) -> str:
        """The id that the request names, as far as it may be shown: what stands there may be a key itself."""
        return hiding.key_pair_id(self.key_pair_id)

    @property
    def custom(self) -> bool:
        """Whether a custom policy counts."""
        return "Policy" in self.given

    @cached_property
    def policy_readings(self) -> tuple[Reading, ...]:
        """The bytes of a custom policy, in every way to read them."""
        text = self.given.get("Policy", "")
        found = [each for each in readings(text) if len(each.data) <= _MOST_POLICY_BYTES]
        if text.lstrip().startswith("{"):
            found.append(Reading(text.encode("utf-8", "surrogateescape"), "not-encoded"))
        # A wrong alphabet gives bytes as well: what begins like JSON is the likelier reading.
        found.sort(key=lambda each: not each.data.lstrip().startswith((b"{", b"\xef\xbb\xbf{")))
        return tuple(found)

    @cached_property
    def policy_text(self) -> str:
        """The custom policy as text, in its likeliest reading, or an empty text."""
        return self.policy_readings[0].data.decode("utf-8", "replace") if self.policy_readings else ""

    @cached_property
    def document(self) -> object:
        """The custom policy as JSON, or `None` where it is none."""
        try:
            return cast(object, json.loads(self.policy_text))
        except (ValueError, RecursionError):
            return None

    @cached_property
    def statement(self) -> Mapping[str, object]:
        """The first statement of the custom policy, however malformed; empty where there is none."""
        document = self.document
        statement = document.get("Statement") if isinstance(document, dict) else None
        first = statement[0] if isinstance(statement, list) and statement else statement
        return first if isinstance(first, dict) else {}

    def condition(self, name: str, member: str) -> object:
        """A value in the custom policy's `Condition`, whatever it is; `None` where it is not there."""
        condition = self.statement.get("Condition")
        value = condition.get(name) if isinstance(condition, dict) else None
        return value.get(member) if isinstance(value, dict) else None

    @cached_property
    def expires_number(self) -> int | None:
        """The number that stands for the expiry, in order or not."""
        value = self.condition("DateLessThan", "AWS:EpochTime") if self.custom else self.given.get("Expires", "")
        if isinstance(value, str):
            value = int(value) if value.isascii() and value.isdigit() and len(value) <= 19 else None
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    @property
    def signature_text(self) -> str:
        """The signature as given, percent-decoded."""
        return self.given.get("Signature", "")

    @cached_property
    def signature_readings(self) -> tuple[Reading, ...]:
        """The bytes of the signature, in every way to read them."""
        return readings(self.signature_text)[:6] if len(self.signature_text) < 4096 else ()

    def resource(self) -> str | None:
        """The custom policy's `Resource`, in order or not."""
        value = self.statement.get("Resource")
        return value if isinstance(value, str) else None

    def names_of(self) -> Iterator[str]:
        """The names of every query parameter, as sent."""
        return (name for name, _ in self.sent)
