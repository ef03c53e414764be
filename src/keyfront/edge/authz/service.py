"""The service that answers a front door: the viewer is let in or refused, or a header is missing."""

import logging
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Literal

from keyfront.core.verification import ACCESS_DENIED, Decision, error_body
from keyfront.edge.authz.fronts import DECIDE, Front, FrontError, FrontRequest, FrontResponse
from keyfront.edge.authz.protection import Rules
from keyfront.edge.decide import TurnedAway, decide
from keyfront.edge.request.geography import countries as countries_of
from keyfront.edge.request.viewer import Request
from keyfront.edge.response.pages import EdgeResponse, Headers
from keyfront.edge.server.standing import Standing

_log = logging.getLogger(__name__)

REFUSAL: Final = "/refusal"
"""The path from which nginx fetches a refusal's body, since it drops the body of the decision."""

HEALTH: Final = "/health"
READY: Final = "/readyz"
METRICS: Final = "/metrics"

_TEXT: Final[Headers] = [(b"content-type", b"text/plain")]

Log = Literal["nothing", "refusals", "decisions"]


def responder(
    front: Front,
    rules: Rules,
    *,
    proxies: int = 0,
    log: Log = "refusals",
    ignore_case: bool = False,
    countries: Mapping[str, str] = MappingProxyType({}),
    clock: Callable[[], float] = time.time,
) -> Callable[[FrontRequest], FrontResponse]:
    """Return the function that answers `front`.

    `proxies` is the number of trusted proxies in front of it. For `ignore_case` see `decide`. `countries` maps
    networks to countries, for geo restrictions. Raises `InputError` if a network or country is not valid.
    """
    country_of = countries_of(countries)

    def respond(asked: FrontRequest) -> FrontResponse:
        path = asked.path.decode("latin-1")
        if path == HEALTH:
            return FrontResponse(200, _TEXT, b"ok\n")
        if path == READY:
            return _readiness(rules.standing)
        if path == METRICS:
            return _metrics(rules.standing)
        asked_for_page = front.bare and path == REFUSAL
        decides = path == DECIDE if front.uri else path.startswith(f"{DECIDE}/")
        if not decides and not asked_for_page:
            return FrontResponse(404, _TEXT, f"ask {DECIDE}\n".encode())
        try:
            viewer = front.viewer(asked, proxies)
        except FrontError as error:
            _log.error("refused, since %s: see --front %s in docs/authz.md", error, front.name)
            return FrontResponse(500, _TEXT, b"the access check is not set up correctly\n")
        decided = decide(rules.configuration, rules.door, viewer, clock(), country_of, ignore_case=ignore_case)
        answer = decided.answer if isinstance(decided, TurnedAway) else decided.decision
        if asked_for_page:
            return _shown(answer if isinstance(answer, EdgeResponse) else _SERVERS_OWN)
        _log_decision(viewer, answer, log)
        if not isinstance(answer, EdgeResponse):
            return FrontResponse(200, _facts(answer, "public"), b"")
        if front.bare:
            facts = [*_facts(answer.decision, answer.reason), (b"x-keyfront-status", str(answer.status).encode())]
            return FrontResponse(403, facts, b"")
        return _shown(answer)

    return respond


# The viewer was let in, but the server itself sent 403: for a folder without an index, or a file it may not read.
_SERVERS_OWN: Final = EdgeResponse(
    403, [(b"content-type", b"text/xml")], error_body(ACCESS_DENIED.code, ACCESS_DENIED.message), reason="server"
)


def _facts(decision: Decision | None, reason: str) -> Headers:
    facts = [(b"x-keyfront-reason", (decision.reason if decision else reason).encode("ascii"))]
    if decision is not None and decision.allowed and decision.key_pair_id:
        facts.append((b"x-keyfront-key-id", decision.key_pair_id.encode("ascii", "replace")))
    return facts


def _readiness(standing: Standing) -> FrontResponse:
    return FrontResponse(200 if standing.ready else 503, _TEXT, f"{standing.says(time.monotonic())}\n".encode())


def _metrics(standing: Standing) -> FrontResponse:
    age = standing.age(time.monotonic())
    gauges = (
        ("configuration_age_seconds", "Seconds since the last complete reading.", f"{age:.3f}"),
        ("configuration_too_old", "1 while it is too old, so that everything is refused.", int(standing.closed)),
        ("key_groups_without_keys", "Key groups without a usable key.", len(standing.keyless)),
    )
    lines = [
        f"# HELP keyfront_authz_{name} {text}\n# TYPE keyfront_authz_{name} gauge\nkeyfront_authz_{name} {value}\n"
        for name, text, value in gauges
    ]
    return FrontResponse(200, [(b"content-type", b"text/plain; version=0.0.4")], "".join(lines).encode("ascii"))


def _shown(answer: EdgeResponse) -> FrontResponse:
    return FrontResponse(answer.status, [*answer.headers, (b"x-cache", answer.x_cache)], answer.body)


def _log_decision(viewer: Request, answer: EdgeResponse | Decision | None, log: Log) -> None:
    refusal = isinstance(answer, EdgeResponse)
    if log == "nothing" or (log == "refusals" and not refusal):
        return
    reason, key_id = "public", None
    if isinstance(answer, EdgeResponse):
        reason, key_id = answer.reason, answer.decision and answer.decision.key_pair_id
    elif answer is not None:
        reason, key_id = answer.reason, answer.key_pair_id
    url = f"{viewer.scheme}://{viewer.host}{viewer.path}"
    _log.info(
        "%s %s %s %s %s %s",
        viewer.ip,
        viewer.method,
        ascii(url)[1:-1],
        "refused" if refusal else "allowed",
        reason,
        ascii(key_id[:64])[1:-1] if key_id else "-",
    )
