"""Finds the finding that explains a refusal, for a header of our own in CloudFront's response.

Only refusals cost time here, but anyone can cause them. So the search for what was signed instead gets a few
milliseconds for each refusal, and a small part of the edge's time in all. When that is used up, only the rules run.
"""

import time
from collections.abc import Callable
from typing import Final

from keyfront.core import verification
from keyfront.edge.configuration import Distribution
from keyfront.edge.request.viewer import Request
from keyfront.explain import Behavior, Budget, explain
from keyfront.explain import Distribution as ExplainedDistribution

SEARCH_SECONDS: Final = 0.01
"""CPU time for the search of one refusal."""
SHARE: Final = 0.05
"""The part of the edge's time that all searches together may take."""
MOST_SAVED: Final = 0.1
"""The most search time that a quiet edge saves up, in seconds."""
LONGEST_SEARCHED: Final = 2048
"""If a URL and its cookies have more characters, there is no search, since each variant is as long as they are."""


class Explainer:
    """Names findings, and limits the time that this takes."""

    def __init__(
        self, *, clock: Callable[[], float] = time.monotonic, cpu_time: Callable[[], float] = time.thread_time
    ) -> None:
        self._clock = clock
        self._cpu_time = cpu_time
        self._saved = MOST_SAVED
        self._looked = clock()

    def finding(self, viewer: Request, distribution: Distribution, now: float) -> bytes:
        """Return the id of the finding that explains why `viewer` was refused at `now`, or nothing.

        `now` is seconds since the epoch.
        """
        request = verification.ViewerRequest(viewer.url, viewer.header(b"cookie"), viewer.ip)
        began = self._cpu_time()
        end = began + self._allowance(request)
        report = explain(
            request,
            now=now,
            distribution=_distribution(distribution, viewer.host),
            method=viewer.method,
            budget=Budget(spent=lambda: self._cpu_time() >= end, every=8) if end > began else Budget(tries=0),
        )
        self._saved -= self._cpu_time() - began
        first = next((each for each in report.findings if each.severity == "error"), None)
        return first.id.encode("ascii") if first else b""

    def _allowance(self, request: verification.ViewerRequest) -> float:
        now = self._clock()
        self._saved = min(MOST_SAVED, self._saved + (now - self._looked) * SHARE)
        self._looked = now
        if self._saved <= 0 or len(request.url) + len(request.cookie) > LONGEST_SEARCHED:
            return 0.0
        return min(SEARCH_SECONDS, self._saved)


def _distribution(distribution: Distribution, host: str) -> ExplainedDistribution:
    """Return `distribution` in the form that `explain` takes, with `host` as one of its names."""
    return ExplainedDistribution(
        behaviors=tuple(
            Behavior(
                pattern=each.pattern,
                protected=each.keys is not None,
                keys=each.keys,
                viewer_protocol_policy=each.viewer_protocol_policy,
                methods=tuple(sorted(each.methods)),
            )
            for each in distribution.behaviors
        ),
        id=distribution.id,
        aliases=(host, *sorted(distribution.names)),
        origins=tuple({each.origin.domain_name: None for each in distribution.behaviors if each.origin}),
        root=distribution.root,
    )
