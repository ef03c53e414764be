"""The phases that every request passes: route, admit, geo restriction, authorise, look up, fetch, respond."""

import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from keyfront.core.verification import Decision
from keyfront.edge.cache.bodies import Disk
from keyfront.edge.cache.objects import Cache, Entry
from keyfront.edge.configuration import EMPTY, Configuration, Distribution, marks
from keyfront.edge.decide import Admitted, TurnedAway, decide
from keyfront.edge.exchange import Exchange, Inbound, Outcome, ViewerGoneError, WhileThere
from keyfront.edge.functions.lambda_edge import LambdaFunctions
from keyfront.edge.functions.phases import FunctionPhases, OnLog
from keyfront.edge.origin.client import Origins
from keyfront.edge.origin.fetching import Fetcher
from keyfront.edge.request.admission import Door
from keyfront.edge.request.forwarding import cache_key, own_query
from keyfront.edge.request.geography import countries as countries_of
from keyfront.edge.request.viewer import Request
from keyfront.edge.request.viewer_headers import facts
from keyfront.edge.response.pages import ERROR, GENERATED, GENERATED_BY_LAMBDA, HIT, EdgeResponse
from keyfront.edge.response.responding import is_here, select, send_answer, send_entry
from keyfront.edge.server.locations import ALONE
from keyfront.web.types import Receive, Send

if TYPE_CHECKING:
    from keyfront.edge.response.explanation import Explainer

_log = logging.getLogger(__name__)

_NOBODY = b"1.1 keyfront.cloudfront.net (CloudFront)"
"""`Via` of a response that does not belong to a distribution."""


class Edge:
    """Answers requests, with a configuration, a cache and origins.

    `configuration` may be replaced at any time: a request reads it once, at its beginning.
    """

    def __init__(
        self,
        origins: Origins,
        *,
        cache_bytes: int = 256 * 1024 * 1024,
        object_bytes: int = 8 * 1024 * 1024,
        disk_bytes: int = 0,
        disk_directory: Path | None = None,
        location: str = ALONE.name,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] | None = None,
        countries: Mapping[str, str] = MappingProxyType({}),
        explains: bool = False,
        on_decision: Callable[[Outcome], None] | None = None,
        on_log: OnLog | None = None,
        lambdas: LambdaFunctions | None = None,
    ) -> None:
        """Make an edge with an empty cache and no distributions.

        `cache_bytes` limits the memory for objects, `object_bytes` the size of each. Larger objects go to files in
        `disk_directory`, at most `disk_bytes` in all.

        `clock` gives the time for the dates in policies, `steady` the time for lifetimes in the cache (see
        `steady_clock`). If `steady` is not given, `clock` is used for both.

        `location` is the edge location's name. `countries` maps networks to countries (see `geography`). With
        `explains`, a refusal names its finding. `on_decision` gets the outcome of each request, `on_log` what
        functions write to their logs. `lambdas` runs Lambda@Edge functions; without it, they do not run.

        Raises `InputError` if a network or country in `countries` is not valid.
        """
        self.configuration: Configuration = EMPTY
        disk = Disk(disk_directory, disk_bytes)
        self.cache = Cache(cache_bytes, disk.limit)
        self._marks = marks(_NOBODY, location)
        self._country_of = countries_of(countries)
        self._clock, self._steady = clock, steady or clock
        self.on_decision = on_decision
        self._explainer = _explainer() if explains else None
        self._functions = FunctionPhases(on_log, lambdas)
        self._fetcher = Fetcher(
            origins, self.cache, disk, object_bytes=object_bytes, clock=self._steady, report=self._report_exchange
        )

    async def answer(self, viewer: Request, door: Door, receive: Receive, send: Send) -> None:
        """Answer one request. Raises only if the connection to the viewer must be broken off."""
        now = self._clock()
        decided = decide(self.configuration, door, viewer, now, self._country_of)
        if isinstance(decided, TurnedAway):
            await self._turn_away(decided, viewer, now, send)
            return
        distribution, behavior, path = decided.distribution, decided.behavior, decided.path
        rules = behavior.rules
        if rules.made_headers:
            viewer.made = facts(viewer, rules.made_headers, self._country_of)
        sent, header_rules = viewer, behavior.response_headers
        chosen: tuple[str, ...] = ()
        if behavior.functions is not None:
            passed = await self._functions.viewer_request(viewer, distribution, behavior, receive)
            if isinstance(passed, EdgeResponse):
                await self._end_early(passed, decided, viewer, send, now)
                return
            if passed.behavior is not behavior:
                behavior, chosen = passed.behavior, passed.origin_key
            viewer, receive = passed.viewer, passed.receive
            path = distribution.root if distribution.root and viewer.path == "/" else viewer.path
            # A viewer response function sees the request as the viewer request function left it.
            send = self._functions.sending(viewer, distribution, behavior, send)
        if header_rules is not None:
            send = header_rules.sending(send, sent)
        query = own_query(viewer, behavior)
        key = cache_key(distribution, rules, viewer, path, query)
        if chosen:
            key = key._replace(headers=(*key.headers, *chosen))
        entry = self.cache.get(key) if rules.caches and viewer.method in behavior.cached_methods else None
        if entry is not None and entry.pieces is not None and not is_here(entry, select(viewer, entry)):
            entry = None
        if entry is not None and entry.fresh_until > (moment := self._steady()):
            if self.on_decision is not None:
                x_cache = ERROR if entry.error else HIT
                self._report(distribution, viewer, entry.status, x_cache, "allowed", decided.decision)
            await send_entry(send, viewer, entry, distribution.marks, moment)
            return
        inbound = Inbound(receive, has_body=viewer.has_body)
        exchange = Exchange(viewer, distribution, behavior, path, query, key, send, inbound, decided.decision)
        await self._fetch(exchange, entry)

    async def aclose(self) -> None:
        """End the process of the functions."""
        await self._functions.aclose()

    async def _fetch(self, exchange: Exchange, stale: Entry | None) -> None:
        """Fetch as long as the viewer is connected."""
        try:
            async with WhileThere(exchange.inbound):
                await self._fetcher.fetch(exchange, stale)
        except ViewerGoneError:
            _log.debug("the viewer of %s went away", exchange.path)

    async def _end_early(
        self, answer: EdgeResponse, decided: Admitted, viewer: Request, send: Send, now: float
    ) -> None:
        """Send the response that a viewer request function made, or the page that says that it failed."""
        distribution, behavior = decided.distribution, decided.behavior
        if answer.x_cache not in (GENERATED, GENERATED_BY_LAMBDA):
            await self._turn_away(TurnedAway(answer, distribution, behavior), viewer, now, send)
            return
        if behavior.response_headers is not None:
            send = behavior.response_headers.sending(send, viewer)
        self._report(distribution, viewer, answer.status, answer.x_cache, answer.reason, decided.decision)
        await send_answer(send, viewer, answer, distribution.marks)

    async def _turn_away(self, decided: TurnedAway, viewer: Request, now: float, send: Send) -> None:
        """Send a refusal or a redirect, or the distribution's own page instead. It is never cached."""
        answer = shown = decided.answer
        distribution, behavior = decided.distribution, decided.behavior
        if distribution is not None and answer.status >= 400:
            shown = await self._fetcher.pages.page(distribution, answer.status, viewer) or answer
        if shown is not answer and behavior is not None and behavior.response_headers is not None:
            send = behavior.response_headers.sending(send, viewer)
        if self._explainer is not None and distribution is not None and answer.decision is not None:
            shown.finding = self._explainer.finding(viewer, distribution, now)
        self._report(distribution, viewer, shown.status, answer.x_cache, answer.reason, answer.decision)
        await send_answer(send, viewer, shown, distribution.marks if distribution is not None else self._marks)

    def _report_exchange(self, exchange: Exchange, status: int, x_cache: bytes) -> None:
        self._report(exchange.distribution, exchange.viewer, status, x_cache, "allowed", exchange.decision)

    def _report(
        self,
        distribution: Distribution | None,
        viewer: Request,
        status: int,
        x_cache: bytes,
        reason: str,
        decision: Decision | None,
    ) -> None:
        if self.on_decision is None:
            return
        self.on_decision(
            Outcome(
                request_id=viewer.id,
                at=self._clock(),
                distribution_id=distribution.id if distribution else "",
                ip=viewer.ip,
                method=viewer.method,
                url=f"{viewer.scheme}://{viewer.host}{viewer.as_sent}",
                status=status,
                cache=x_cache.split(b" ", 1)[0].decode("ascii"),
                reason=reason,
                decision=decision,
            )
        )


def _explainer() -> "Explainer":
    # Imported only if the setting asks for it.
    from keyfront.edge.response.explanation import Explainer

    return Explainer()
