"""The pages of rotations: start one, watch its steps, continue, abort."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Literal
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from keyfront.account.rotation import Done, NewKey, Plan, Rotation, State, Step, probe_target
from keyfront.account.rotation.ledger import rotating
from keyfront.account.rotation.opening import open_rotation
from keyfront.account.rotation.progress import awaited, next_at, phases
from keyfront.console.context import Context, field
from keyfront.console.events import changes, stream
from keyfront.console.problems import Gaps, Problem, attempt
from keyfront.core.entered_times import span
from keyfront.errors import InputError
from keyfront.inventory import KeyGroup

_DEFAULTS = {"grace": "24h", "propagation": "5m", "signer_ttl": "10m"}
_SPANS = {"grace": "Grace", "propagation": "Propagation", "signer_ttl": "Signers' time to live"}


class RotationPages:
    """The pages below `/rotation`."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._account = context.account
        self._pages = context.pages

    @property
    def routes(self) -> list[Route]:
        """The paths of these pages."""
        return [
            Route("/rotation", self.listing, methods=["GET"]),
            Route("/rotation/{group_id}", self.rotation, methods=["GET"]),
            Route("/rotation/{group_id}/events", self.events, methods=["GET"]),
            Route("/rotation/{group_id}/start", self.start, methods=["POST"]),
            Route("/rotation/{group_id}/continue", self.go_on, methods=["POST"]),
            Route("/rotation/{group_id}/abort", self.abort, methods=["POST"]),
        ]

    def listing(self, request: Request) -> Response:
        """Show the groups, and which of them have a rotation in progress."""
        gaps = Gaps()
        values = {
            "groups": gaps.get(self._account.groups, list[KeyGroup]()),
            "rotating": gaps.get(lambda: rotating(self._account.connect("ssm")), list[str]()),
            "gaps": gaps.found,
        }
        return self._pages.html(request, "rotations.html", values)

    @contextmanager
    def _open(self, request: Request) -> Iterator[Rotation]:
        with self._account.client() as client:

            def probe_url(group_id: str) -> str:
                found = urlsplit(probe_target(client, group_id))
                return f"{self._context.addresses(found.netloc)[0]}{found.path}"

            opened = open_rotation(
                client, self._account.connect, request.path_params["group_id"], find_probe_url=probe_url
            )
            with opened as (rotation, _):
                yield rotation

    def rotation(self, request: Request) -> Response:
        """Show a group's rotation, or the form to start one."""
        return self._rotation(request)

    def _rotation(self, request: Request, problem: Problem | None = None) -> Response:
        group_id = request.path_params["group_id"]
        group = next((each for each in self._account.groups() if each.id == group_id), None)
        if group is None:
            raise InputError(f"there is no key group {group_id!r} in this account: it may have been deleted")
        form = getattr(request.state, "form", {})
        names = (*_DEFAULTS, "signer", "longest_life", "probe_url")
        values = {
            "group": group,
            "steps": self._steps(self._state(request)),
            "entered": {name: (form.get(name) or [self._proposed(name)])[-1] for name in names},
        }
        return self._pages.html(request, "rotation.html", values, problem=problem)

    def _proposed(self, name: str) -> str:
        return self._context.signer if name == "signer" else _DEFAULTS.get(name, "")

    def _state(self, request: Request) -> State | None:
        with self._open(request) as rotation:
            return rotation.state()

    def _steps(self, state: State | None) -> str:
        """Return the steps as a part of the page; empty if no rotation is in progress."""
        if state is None:
            return ""
        until = next_at(state)
        waits = until is not None and until > time.time()
        values = {
            "state": state,
            "phases": phases(state),
            "awaited": awaited(state) if waits else "",
            "until": until if waits else None,
        }
        return self._pages.part("rotation_steps.html", values)

    def events(self, request: Request) -> StreamingResponse:
        """Send the steps whenever they change, until the rotation is over."""

        def look() -> tuple[object, bool]:
            steps = self._steps(self._state(request))
            return steps or '<p class="notice" role="status">The rotation is over.</p>', not steps

        return stream(changes(look, self._context.stopping, seconds=2.0))

    def start(self, request: Request) -> Response:
        """Start a rotation, and do every step that is possible now."""

        def start() -> Response:
            plan = _plan(request)
            with self._open(request) as rotation:
                state = rotation.start(plan)
                return self._run(request, rotation, f"Started: a new key will replace {state.old_id}")

        return attempt(start, partial(self._rotation, request))

    def go_on(self, request: Request) -> Response:
        """Do every step that is possible now."""

        def go_on() -> Response:
            with self._open(request) as rotation:
                return self._run(request, rotation, "")

        return attempt(go_on, partial(self._rotation, request))

    def abort(self, request: Request) -> Response:
        """Undo a rotation, as far as that is possible now."""

        def abort() -> Response:
            with self._open(request) as rotation:
                state = rotation.abort()
                return self._run(request, rotation, f"Undoing: {state.old_id} stays")

        return attempt(abort, partial(self._rotation, request))

    def _run(self, request: Request, rotation: Rotation, begun: str) -> Response:
        told = [begun] if begun else []
        while True:
            match rotation.advance():
                case Step(text):
                    told.append(text)
                case Done(text):
                    told.append(text)
                    break
                case waiting:
                    told.append(f"now {waiting.text}")
                    break
        text = "; ".join(told)
        return self._pages.go(f"/rotation/{request.path_params['group_id']}", f"{text[:1].upper()}{text[1:]}.")


def _plan(request: Request) -> Plan:
    signer = field(request, "signer")
    if not signer:
        raise InputError(
            "the signers' address is missing: enter where their document is, such as ssm:/shop/signing-key"
        )
    grace, propagation, signer_ttl = (
        span(field(request, name) or _DEFAULTS[name], label).total_seconds() for name, label in _SPANS.items()
    )
    life = field(request, "longest_life")
    chosen = field(request, "key_type")
    key_type: Literal["rsa", "ecdsa"] | None = "rsa" if chosen == "rsa" else "ecdsa" if chosen == "ecdsa" else None
    return Plan(
        group=request.path_params["group_id"],
        signer=signer,
        new=NewKey(key_type),
        grace=grace,
        propagation=propagation,
        signer_ttl=signer_ttl,
        longest_life=span(life, "The longest lifetime").total_seconds() if life else None,
        probe_url=field(request, "probe_url") or None,
    )
