"""What is known about a request, worked out once: the rules only look at it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final, cast

from keyfront.core import access
from keyfront.core.access import Rejection
from keyfront.core.credentials import Fault, presented
from keyfront.core.keys import HashAlgorithm, PublicKey
from keyfront.core.policy import Policy
from keyfront.core.urls import MAX_URL_BYTES, SIGNING_PARAMETERS
from keyfront.core.verification import Decision, ViewerRequest, credentials_of, verify
from keyfront.errors import PolicyError
from keyfront.explain import hiding
from keyfront.explain.base64_readings import Reading, readings, strict
from keyfront.explain.configuration import Behavior, Distribution
from keyfront.explain.path_readings import refused_elsewhere
from keyfront.explain.responses import Response
from keyfront.explain.search import Budget, Match, Question, Search, search

_MOST_POLICY_BYTES: Final = 16_384
_COOKIE: Final = "CloudFront-"


@dataclass(frozen=True)
class Facts:
    """A request, whatever else is known, and what `keyfront.core.verification` makes of it."""

    request: ViewerRequest
    now: float
    trusted_keys: Mapping[str, PublicKey] | None = None
    """By key-pair id, as the caller gave them; `None` if not known."""
    offered_keys: Mapping[str, PublicKey] = field(default_factory=dict)
    """Keys of which no id is known, by a name to show: the half of a private key file, say."""
    distribution: Distribution | None = None
    response: Response | None = None
    method: str = ""
    hosts: tuple[str, ...] = ()
    """Other names of the same distribution."""
    origins: tuple[str, ...] = ()
    budget: Budget = field(default_factory=Budget)

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

    @property
    def known_origins(self) -> tuple[str, ...]:
        """Host names of the origins, as given and as configured."""
        return (*self.origins, *(self.distribution.origins if self.distribution else ()))

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

    @cached_property
    def matching(self) -> tuple[Behavior, ...]:
        """The behaviors that match the path; the first counts."""
        return self.distribution.matching(self.path) if self.distribution else ()

    @property
    def behavior(self) -> Behavior | None:
        """The behavior that the request met, if the distribution is known."""
        return self.matching[0] if self.matching else None

    @property
    def public(self) -> bool:
        """Whether it is known that no signature is looked at."""
        return self.behavior is not None and not self.behavior.protected

    @cached_property
    def keys(self) -> Mapping[str, PublicKey] | None:
        """The keys that the request is judged by; `None` if nobody knows them."""
        if self.behavior is not None and self.behavior.keys is not None:
            return self.behavior.keys
        return self.trusted_keys

    @cached_property
    def known_keys(self) -> Mapping[str, PublicKey]:
        """Every key that was given or read, whether trusted here or not: what a signature is tried with."""
        found: dict[str, PublicKey] = dict(self.keys or {})
        for key_id, key in (self.trusted_keys or {}).items():
            found.setdefault(key_id, key)
        for behavior in self.distribution.behaviors if self.distribution else ():
            for key_id, key in (behavior.keys or {}).items():
                found.setdefault(key_id, key)
        for name, key in self.offered_keys.items():
            found.setdefault(name, key)
        return found

    @cached_property
    def decision(self) -> Decision:
        """What the one judge says."""
        return verify(self.request, self.keys or {}, self.now)

    @cached_property
    def rejection(self) -> Rejection | None:
        """What CloudFront answers before it looks at the signature; `None` where nothing known keeps it from that."""
        if self.distribution is not None and self.distribution.names and not self.distribution.answers_to(self.host):
            return access.UNKNOWN_HOST
        if self.size > MAX_URL_BYTES:
            return access.TOO_LARGE
        if self.distribution is not None and not self.distribution.enabled:
            return access.DISABLED
        return self.wrong_protocol or self.wrong_method

    @property
    def size(self) -> int:
        """Bytes of the URL."""
        return len(self.request.url.encode("utf-8", "surrogateescape"))

    @property
    def wrong_protocol(self) -> Rejection | None:
        """What the behavior answers to the scheme of the URL, if it does not take that. A method not known is GET."""
        if self.behavior is None:
            return None
        return access.refuse_protocol(self.scheme, self.method or "GET", self.behavior.viewer_protocol_policy)

    @property
    def wrong_method(self) -> Rejection | None:
        """What the behavior answers to the method, if that is known and it does not take it."""
        if self.behavior is None or not self.method:
            return None
        return access.refuse_method(self.method, self.behavior.methods)

    @cached_property
    def elsewhere(self) -> Decision | Rejection | None:
        """The refusal for another place that the path may name, where the path as it stands is let in."""
        if self.rejection is not None or not (self.public or self.decision.allowed):
            return None
        return refused_elsewhere(
            self.request, self.path, self.distribution, self.keys or {}, self.now, self.method or "GET"
        )

    def failed(self, check: str) -> bool:
        """Whether the judge looked at `check` and it failed; without keys nobody knows what is trusted."""
        if check == "trusted-key" and self.keys is None:
            return False
        return any(each.name == check and not each.ok for each in self.decision.checks)

    def reason(self, check: str) -> str:
        """Why `check` failed, as the judge names it; empty where it did not, or was not made."""
        return next((each.reason for each in self.decision.checks if each.name == check), "")

    @cached_property
    def policy_fault(self) -> str:
        """Why the policy cannot be used: the `reason` of its error. Empty for a policy that can be used."""
        policy = presented(self.request.url, self.request.cookie).policy
        return policy.cause if isinstance(policy, Fault) else ""

    def detail(self, check: str) -> str:
        """What the judge saw at `check`."""
        return next((each.detail for each in self.decision.checks if each.name == check), "")

    @property
    def key_pair_id(self) -> str:
        """The id that the request names, or an empty text."""
        return self.given.get("Key-Pair-Id", "")

    @property
    def shown_id(self) -> str:
        """The id that the request names, as far as it may be shown: what stands there may be a key itself."""
        return hiding.key_pair_id(self.key_pair_id)

    @cached_property
    def key(self) -> PublicKey | None:
        """The key that the id stands for, if it is known and trusted."""
        return (self.keys or {}).get(self.key_pair_id)

    @property
    def custom(self) -> bool:
        """Whether a custom policy counts."""
        return "Policy" in self.given

    @cached_property
    def policy(self) -> Policy | None:
        """The policy that counts, if it is in order."""
        try:
            if self.custom:
                data = strict(self.given["Policy"])
                return Policy.parse(data) if data is not None else None
            return Policy(self.url, int(self.given["Expires"])) if self._expires_in_order else None
        except PolicyError:
            return None

    @cached_property
    def _expires_in_order(self) -> bool:
        return not self.failed("policy") and self.given.get("Expires", "").isdigit()

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

    @cached_property
    def search(self) -> Search:
        """What the signature fits, if it does not fit the request: looked for once, when first asked."""
        if not self._worth_searching:
            return Search()
        algorithm: HashAlgorithm = "SHA256" if self.given.get("Hash-Algorithm") == "SHA256" else "SHA1"
        names = self.distribution.names if self.distribution else ()
        hosts = tuple(dict.fromkeys((*self.hosts, *names)))
        question = Question(
            signatures=self.signature_readings,
            algorithm=algorithm,
            key_pair_id=self.key_pair_id,
            keys=self.known_keys,
            url=self.url,
            expires=self._canned_expires,
            policies=self.policy_readings,
            hosts=hosts,
            origins=self.known_origins,
            anonymous=frozenset(self.offered_keys),
        )
        found = search(question, self.budget)
        if found.match is None and self.custom and self._canned_expires is not None:
            # Both forms are there: the canned one may be what was signed.
            canned = search(replace(question, policies=()), self.budget)
            return Search(canned.match, found.tries + canned.tries, found.complete and canned.complete)
        return found

    @property
    def match(self) -> Match | None:
        """What the search found."""
        return self.search.match

    @property
    def _worth_searching(self) -> bool:
        if self.public or not self.known_keys or not self.signature_readings:
            return False
        accepted = any(check.name == "signature" and check.ok for check in self.decision.checks)
        return not accepted

    @property
    def _canned_expires(self) -> int | None:
        text = self.given.get("Expires", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) <= 19 else None

    def proved(self, *ids: str) -> bool:
        """Whether the search proved one of these changes."""
        return self.match is not None and not self.match.ids.isdisjoint(ids)

    def told(self, *ids: str) -> str:
        """The proved changes among `ids`, in words."""
        return "; ".join(each.text for each in self.match.changes if each.id in ids) if self.match else ""

    @cached_property
    def pretty_policy(self) -> str:
        """The policy that counts, for a person, without query values; empty if there is none."""
        if self.custom:
            if self.document is None:
                return hiding.policy(self.policy_text)
            return json.dumps(hiding.document(self.document), indent=2)
        if self.policy is not None:
            return json.dumps(hiding.document(json.loads(self.policy.to_bytes())), indent=2)
        return ""

    def resource(self) -> str | None:
        """The custom policy's `Resource`, in order or not."""
        value = self.statement.get("Resource")
        return value if isinstance(value, str) else None

    def names_of(self) -> Iterator[str]:
        """The names of every query parameter, as sent."""
        return (name for name, _ in self.sent)
