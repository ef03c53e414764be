"""The pages of distributions: origins, behaviors in their order, which path goes where, and whom a behavior trusts."""

from collections import OrderedDict
from functools import partial
from typing import Final
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from keyfront.account.audit.rules.behaviors import in_order
from keyfront.account.trusted_groups import (
    DEFAULT,
    Change,
    Config,
    apply,
    aws_commands,
    difference,
    keyfront_command,
    propose,
    terraform_lines,
)
from keyfront.console.context import Context, field, fields
from keyfront.console.events import changes, stream
from keyfront.console.problems import Gaps, Problem, attempt, problem_of
from keyfront.core.paths import normalise, readings
from keyfront.errors import KeyfrontError
from keyfront.explain import from_inventory
from keyfront.inventory import Distribution, KeyGroup

_MOST_SEEN: Final = 50


class DistributionPages:
    """The pages below `/distributions`, and the preview of a change."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._account = context.account
        self._pages = context.pages
        self._seen: OrderedDict[tuple[str, str], Config] = OrderedDict()
        """Configurations that people have seen, by id and ETag: to show what someone else changed after that."""

    @property
    def routes(self) -> list[Route]:
        """The paths of these pages."""
        return [
            Route("/distributions", self.listing, methods=["GET"]),
            Route("/distributions/{distribution_id}", self.distribution, methods=["GET"]),
            Route("/distributions/{distribution_id}/path", self.path, methods=["GET"]),
            Route("/distributions/{distribution_id}/status", self.status, methods=["GET"]),
            Route("/distributions/{distribution_id}/behavior", self.behavior, methods=["GET"]),
            Route("/distributions/{distribution_id}/change", self.change, methods=["POST"]),
            Route("/ask/change/{distribution_id}", self.preview, methods=["POST"]),
        ]

    def listing(self, request: Request) -> Response:
        """Show a page of the account's distributions."""
        gaps = Gaps()
        marker = request.query_params.get("marker", "")
        nothing: tuple[list[Distribution], str] = ([], "")
        found, following = gaps.get(lambda: self._account.distributions_page(marker), nothing)
        values = {"distributions": found, "following": following, "first": not marker, "gaps": gaps.found}
        return self._pages.html(request, "distributions.html", values)

    def distribution(self, request: Request) -> Response:
        """Show one distribution."""
        gaps = Gaps()
        found = self._account.distribution(request.path_params["distribution_id"])
        values = {
            "distribution": found,
            "behaviors": in_order(found),
            "groups": self._group_names(gaps),
            "addresses": self._context.addresses(found.domain_name),
            **_tried(found, ""),
            "gaps": gaps.found,
        }
        return self._pages.html(request, "distribution.html", values)

    def _groups(self, gaps: Gaps) -> list[KeyGroup]:
        return gaps.get(self._account.groups, [])

    def _group_names(self, gaps: Gaps) -> dict[str, str]:
        return {each.id: each.name for each in self._groups(gaps)}

    def path(self, request: Request) -> Response:
        """Show which behavior takes a path, and why, as a part of the page."""
        found = self._account.distribution(request.path_params["distribution_id"])
        asked = path_of(request.query_params.get("path", ""))
        others = [each.path for each in readings(asked)[1:] if each.path != normalise(asked)] if asked else []
        values = {
            "distribution": found,
            **_tried(found, asked),
            "groups": self._group_names(Gaps()),
            "normalised": normalise(from_inventory(found).asked(asked)) if asked else "",
            "others": others,
        }
        return HTMLResponse(self._pages.part("path.html", values))

    def status(self, request: Request) -> StreamingResponse:
        """Send the distribution's status whenever it changes, until it is deployed."""
        distribution_id = request.path_params["distribution_id"]

        def look() -> tuple[object, bool]:
            status = self._account.distribution(distribution_id).status
            return status, status == "Deployed"

        return stream(changes(look, self._context.stopping, seconds=2.0))

    def behavior(self, request: Request) -> Response:
        """Show the form that chooses a behavior's trusted key groups."""
        return self._behavior(request, request.query_params.get("pattern", DEFAULT))

    def _behavior(self, request: Request, pattern: str, problem: Problem | None = None) -> Response:
        gaps = Gaps()
        found = self._account.distribution(request.path_params["distribution_id"])
        behavior = next((each for each in in_order(found) if each.path_pattern == pattern), None)
        values = {
            "distribution": found,
            "pattern": pattern,
            "behavior": behavior,
            "groups": self._groups(gaps),
            "gaps": gaps.found,
        }
        return self._pages.html(request, "behavior.html", values, problem=problem, status=200 if behavior else 404)

    def preview(self, request: Request) -> Response:
        """Show a change before it is made, and how other tools make it."""
        return attempt(
            lambda: self._preview(request, self._proposed(request)),
            partial(self._behavior, request, field(request, "pattern") or DEFAULT),
        )

    def _proposed(self, request: Request) -> Change:
        distribution_id = request.path_params["distribution_id"]
        etag, config = self._account.config(distribution_id)
        self._seen[distribution_id, etag] = config
        if len(self._seen) > _MOST_SEEN:
            self._seen.popitem(last=False)
        wanted = [] if field(request, "open") else fields(request, "group")
        return propose(distribution_id, etag, config, field(request, "pattern") or DEFAULT, wanted)

    def _preview(
        self, request: Request, change: Change, problem: Problem | None = None, base: Config | None = None
    ) -> Response:
        values = {
            "change": change,
            "lines": difference(change.before, change.after),
            "theirs": difference(base, change.before, around=1) if base is not None else None,
            "keyfront": keyfront_command(change),
            "aws": aws_commands(change),
            "terraform": terraform_lines(change),
            "groups": self._group_names(Gaps()),
        }
        return self._pages.html(request, "change.html", values, problem=problem)

    def change(self, request: Request) -> Response:
        """Make a change that was seen. If someone else changed the distribution after that, show both."""
        distribution_id = request.path_params["distribution_id"]
        try:
            change = self._proposed(request)
            seen = field(request, "etag")
            if seen != change.etag:
                return self._preview(request, change, _STALE, self._seen.get((distribution_id, seen)))
            with self._account.client() as client:
                apply(client, change)
        except KeyfrontError as error:
            return self._behavior(request, field(request, "pattern") or DEFAULT, problem_of(error))
        where = "The default behavior" if change.pattern == DEFAULT else change.pattern
        now = f"trusts {', '.join(change.groups)}" if change.groups else "needs no signature"
        return self._pages.go(f"/distributions/{quote(distribution_id)}", f"{where} {now}, as soon as it is deployed.")


_STALE: Final = Problem(
    "Someone else changed it",
    "The distribution was changed after you saw it. Nothing of yours was applied. Below is what they changed, and your "
    "change on top of it: apply it, or leave the page to keep theirs.",
    409,
)


def _tried(distribution: Distribution, path: str) -> dict[str, object]:
    """Return all behaviors in their order, each with whether it matches `path`, and the place of the one that takes it.

    The first behavior that matches takes the request.
    """
    behaviors = in_order(distribution)
    if not path:
        return {"tried": [(each, False) for each in behaviors], "taking": None, "asked": ""}
    converted = from_inventory(distribution)
    matching = converted.matching(path)
    matches = [each in matching for each in converted.behaviors]
    taking = matches.index(True) if matching else None
    return {"tried": list(zip(behaviors, matches, strict=True)), "taking": taking, "asked": path}


def path_of(text: str) -> str:
    """Return the path in a path or URL that a person typed; empty if there is none."""
    text = text.strip()
    if not text:
        return ""
    if "://" in text:
        try:
            text = urlsplit(text).path or "/"
        except ValueError:
            return ""
    text = text.partition("?")[0]
    return quote(f"/{text.removeprefix('/')}", safe="/%!$&'()*+,;=:@~\\")
