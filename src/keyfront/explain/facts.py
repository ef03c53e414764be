"""The facts about a request, computed once. The rules only read them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from keyfront.core import access
from keyfront.core.access import Rejection
from keyfront.core.credentials import Fault, presented
from keyfront.core.keys import HashAlgorithm, PublicKey
from keyfront.core.policy import Policy
from keyfront.core.s3 import s3_host
from keyfront.core.urls import MAX_URL_BYTES
from keyfront.core.verification import Decision, verify
from keyfront.errors import PolicyError
from keyfront.explain.base64_readings import strict
from keyfront.explain.configuration import Behavior, Distribution
from keyfront.explain.pasted_link import PastedLink
from keyfront.explain.path_readings import refused_elsewhere
from keyfront.explain.request import RequestFacts
from keyfront.explain.responses import Response
from keyfront.explain.search import Budget, Match, Question, Search, search
from keyfront.explain.unreadable import base64_problem, json_problem


@dataclass(frozen=True)
class Facts(RequestFacts):
    """A request, everything else that is known, and the result of `keyfront.core.verification`."""

    now: float
    trusted_keys: Mapping[str, PublicKey] | None = None
    """The caller's keys by key-pair id; `None` if not known."""
    offered_keys: Mapping[str, PublicKey] = field(default_factory=dict)
    """Keys with an unknown id, by a name to show: for example, the public key of a private key file."""
    distribution: Distribution | None = None
    response: Response | None = None
    method: str = ""
    hosts: tuple[str, ...] = ()
    """Other names of the same distribution."""
    origins: tuple[str, ...] = ()
    budget: Budget = field(default_factory=Budget)
    headers: Mapping[str, str] = field(default_factory=dict)
    """The request's headers, with names in lower case; several of one name are joined by `; `."""
    country: str = ""
    """The viewer's country: two letters in upper case, or empty."""
    pasted: PastedLink | None = None
    """How the URL was found in a pasted text, if it was pasted."""

    @cached_property
    def changed(self) -> RequestFacts | None:
        """Return the link as it was pasted, if other programs changed it so that CloudFront gets another request."""
        if self.pasted is None or self.pasted.harmless or not self.pasted.sent:
            return None
        return RequestFacts(replace(self.request, url=self.pasted.sent))

    @property
    def without_that(self) -> str:
        """Return what CloudFront would do with the link without the changes, as a sentence; empty if not known."""
        return " Without that, the link is valid." if self.keys is not None and self.decision.allowed else ""

    def repaired(self, finding: str) -> tuple[str, ...]:
        """Return the changes to the pasted link that `finding` tells, in words."""
        return tuple(each.text for each in self.pasted.repairs if each.id == finding) if self.pasted else ()

    @property
    def refused_with(self) -> str:
        """Return the code with which CloudFront's signature check refused the request; empty if it did not.

        The response to a HEAD request may not tell the code: then it is `unknown`.
        """
        refused = self.response is not None and self.response.kind == "viewer-check"
        return (self.response.code or "unknown") if refused and self.response else ""

    @cached_property
    def unlike_the_answer(self) -> bool:
        """Return whether CloudFront refused a request that passes the check of that refusal here."""
        if not self.refused_with:
            return False
        if self.keys is not None:
            return self.decision.allowed
        check = {"MissingKey": "key-pair-id", "MalformedPolicy": "policy"}.get(self.refused_with, "")
        return any(each.name == check and each.ok for each in self.decision.checks)

    @property
    def kept_back(self) -> bool:
        """Return whether the cookies that were given did not arrive: CloudFront found no key-pair id."""
        return self.refused_with == "MissingKey" and self.by_cookies and bool(self.key_pair_id)

    @property
    def known_origins(self) -> tuple[str, ...]:
        """Return the given and the configured host names of the origins."""
        return (*self.origins, *(self.distribution.origins if self.distribution else ()))

    @cached_property
    def matching(self) -> tuple[Behavior, ...]:
        """Return the behaviors that match the path; the first one counts."""
        return self.distribution.matching(self.path) if self.distribution else ()

    @property
    def behavior(self) -> Behavior | None:
        """Return the request's behavior, if the distribution is known."""
        return self.matching[0] if self.matching else None

    @property
    def public(self) -> bool:
        """Return whether the path is known to require no signature."""
        return self.behavior is not None and not self.behavior.protected

    @cached_property
    def keys(self) -> Mapping[str, PublicKey] | None:
        """Return the keys that may sign the request; `None` if they are not known."""
        if self.behavior is not None and self.behavior.keys is not None:
            return self.behavior.keys
        return self.trusted_keys

    @cached_property
    def known_keys(self) -> Mapping[str, PublicKey]:
        """Return every key that the search tries, whether trusted here or not."""
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
        """Return the decision of `keyfront.core.verification`."""
        return verify(self.request, self.keys or {}, self.now)

    @cached_property
    def rejection(self) -> Rejection | None:
        """Return CloudFront's refusal before it checks the signature; `None` if there is no known reason to refuse."""
        if self.distribution is not None and self.distribution.names and not self.distribution.answers_to(self.host):
            return access.UNKNOWN_HOST
        if "%00" in self.path:
            return access.BAD_PATH
        if self.size > MAX_URL_BYTES:
            return access.TOO_LARGE
        if self.distribution is not None and not self.distribution.enabled:
            return access.DISABLED
        return self.wrong_protocol or self.wrong_method or self.wrong_country

    @property
    def wrong_country(self) -> Rejection | None:
        """Return the distribution's refusal of the viewer's country, or `None`."""
        return access.BAD_COUNTRY if self.distribution and self.distribution.blocks(self.country) else None

    @property
    def wrong_protocol(self) -> Rejection | None:
        """Return the behavior's refusal of the URL's scheme, or `None`. An unknown method counts as GET."""
        if self.behavior is None:
            return None
        return access.refuse_protocol(self.scheme, self.method or "GET", self.behavior.viewer_protocol_policy)

    @property
    def wrong_method(self) -> Rejection | None:
        """Return the behavior's refusal of the method; `None` if it is allowed or not known."""
        if self.behavior is None or not self.method:
            return None
        return access.refuse_method(self.method, self.behavior.methods)

    @cached_property
    def elsewhere(self) -> Decision | Rejection | None:
        """Return the refusal of another reading of the path, if the path as sent is allowed."""
        if self.rejection is not None or not (self.public or self.decision.allowed):
            return None
        return refused_elsewhere(
            self.request, self.path, self.distribution, self.keys or {}, self.now, self.method or "GET"
        )

    def failed(self, check: str) -> bool:
        """Return whether `check` was made and failed. `trusted-key` cannot fail if the trusted keys are not known."""
        if check == "trusted-key" and self.keys is None:
            return False
        return any(each.name == check and not each.ok for each in self.decision.checks)

    def reason(self, check: str) -> str:
        """Return the reason why `check` failed; empty if it passed or was not made."""
        return next((each.reason for each in self.decision.checks if each.name == check), "")

    @cached_property
    def policy_fault(self) -> str:
        """Return the `reason` of the policy's error; empty for a usable policy."""
        policy = presented(self.request.url, self.request.cookie).policy
        return policy.cause if isinstance(policy, Fault) else ""

    def detail(self, check: str) -> str:
        """Return the detail of `check`."""
        return next((each.detail for each in self.decision.checks if each.name == check), "")

    @property
    def policy_problem(self) -> str:
        """Return why the policy cannot be used, in words; empty for a usable policy."""
        if not self.failed("policy"):
            return ""
        text = self.given.get("Policy", "")
        data = strict(text)
        if self.custom and data is None:
            return f"the policy cannot be decoded: {base64_problem(text)}"
        problem = json_problem(data) if self.custom and data is not None else ""
        if problem:
            return f"the policy is not JSON: {problem}"
        # What a library says about a network is for programmers.
        return re.sub(r"(not an IPv4 address or range):.*", r"\1", self.detail("policy"))

    @cached_property
    def key(self) -> PublicKey | None:
        """Return the key with the request's id, if it is known and trusted."""
        return (self.keys or {}).get(self.key_pair_id)

    @cached_property
    def policy(self) -> Policy | None:
        """Return the policy that counts, if it is valid."""
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
        """Return the search for what the signature matches, if it does not match the request. It runs at most once."""
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
            prefixes=self.prefixes,
            anonymous=frozenset(self.offered_keys),
        )
        found = search(question, self.budget)
        if found.match is None and self.custom and self._canned_expires is not None:
            # The request has both forms, so the canned policy may be the signed one.
            canned = search(replace(question, policies=()), self.budget)
            return Search(canned.match, found.tries + canned.tries, found.complete and canned.complete)
        return found

    @property
    def match(self) -> Match | None:
        """Return the search's match, or `None`."""
        return self.search.match

    @property
    def prefixes(self) -> tuple[str, ...]:
        """Return what a path may have before it at the origin: the origins' paths, and the names of their buckets."""
        paths = (each.origin_path for each in self.matching)
        buckets = (found.bucket for found in map(s3_host, self.known_origins) if found)
        return tuple(dict.fromkeys(each for each in (*paths, *buckets) if each))

    @property
    def _worth_searching(self) -> bool:
        if self.pasted is not None and self.pasted.lost:
            return False
        if self.public or not self.known_keys or not self.signature_readings:
            return False
        accepted = any(check.name == "signature" and check.ok for check in self.decision.checks)
        return not accepted

    @property
    def _canned_expires(self) -> int | None:
        text = self.given.get("Expires", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) <= 19 else None

    def proved(self, *ids: str) -> bool:
        """Return whether the search proved one of these changes."""
        return self.match is not None and not self.match.ids.isdisjoint(ids)

    def told(self, *ids: str) -> str:
        """Return the texts of the proved changes among `ids`."""
        return "; ".join(each.text for each in self.match.changes if each.id in ids) if self.match else ""
