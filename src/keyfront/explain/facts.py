"""What is known about a request, worked out once: the rules only look at it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from keyfront.core import access
from keyfront.core.access import Rejection
from keyfront.core.credentials import Fault, presented
from keyfront.core.keys import HashAlgorithm, PublicKey
from keyfront.core.policy import Policy
from keyfront.core.urls import MAX_URL_BYTES
from keyfront.core.verification import Decision, verify
from keyfront.errors import PolicyError
from keyfront.explain import hiding
from keyfront.explain.base64_readings import strict
from keyfront.explain.configuration import Behavior, Distribution
from keyfront.explain.path_readings import refused_elsewhere
from keyfront.explain.request import RequestFacts
from keyfront.explain.responses import Response
from keyfront.explain.search import Budget, Match, Question, Search, search


@dataclass(frozen=True)
class Facts(RequestFacts):
    """A request, whatever else is known, and what `keyfront.core.verification` makes of it."""

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

    @property
    def known_origins(self) -> tuple[str, ...]:
        """Host names of the origins, as given and as configured."""
        return (*self.origins, *(self.distribution.origins if self.distribution else ()))

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

    @cached_property
    def key(self) -> PublicKey | None:
        """The key that the id stands for, if it is known and trusted."""
        return (self.keys or {}).get(self.key_pair_id)

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
