"""The pages of key groups: list, create, keys in and out, delete."""

from dataclasses import dataclass
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyfront.account.audit.rules.behaviors import in_order
from keyfront.account.key_groups import UploadedKey, add_key, create_group, delete_group, find_group, remove_key
from keyfront.account.rotation.account import MOST_KEYS
from keyfront.console.context import Context, field, fields
from keyfront.console.problems import Gaps, Problem, attempt
from keyfront.errors import InputError
from keyfront.inventory import Distribution, KeyGroup


@dataclass(frozen=True, slots=True)
class Trusting:
    """A cache behavior that trusts a group."""

    distribution: Distribution
    pattern: str


class GroupPages:
    """The pages below `/groups`."""

    def __init__(self, context: Context) -> None:
        self._account = context.account
        self._pages = context.pages

    @property
    def routes(self) -> list[Route]:
        """The paths of these pages."""
        return [
            Route("/groups", self.listing, methods=["GET"]),
            Route("/groups", self.create, methods=["POST"]),
            Route("/groups/{group_id}", self.group, methods=["GET"]),
            Route("/groups/{group_id}/add", self.add, methods=["POST"]),
            Route("/groups/{group_id}/remove", self.remove, methods=["POST"]),
            Route("/groups/{group_id}/delete", self.delete, methods=["POST"]),
        ]

    def listing(self, request: Request) -> Response:
        """Show all groups, and the form to create one."""
        return self._listing(request)

    def _listing(self, request: Request, problem: Problem | None = None) -> Response:
        gaps = Gaps()
        groups: list[KeyGroup] = gaps.get(self._account.groups, [])
        distributions: list[Distribution] | None = gaps.get(self._account.distributions, None)
        keys: list[UploadedKey] = gaps.get(self._keys, [])
        form = getattr(request.state, "form", {})
        values = {
            "groups": groups,
            "keys": keys,
            "names": {key.id: key.name for key in keys},
            "trusting": {group.id: _trusting(distributions or [], group.id) for group in groups},
            "trusting_known": distributions is not None,
            "most": MOST_KEYS,
            "entered": {name: (form.get(name) or [""])[-1] for name in ("name", "comment")},
            "chosen": form.get("key") or request.query_params.getlist("key"),
            "gaps": gaps.found,
        }
        return self._pages.html(request, "groups.html", values, problem=problem)

    def _keys(self) -> list[UploadedKey]:
        keys, marker = self._account.keys_page("")
        while marker:
            more, marker = self._account.keys_page(marker)
            keys += more
        return keys

    def create(self, request: Request) -> Response:
        """Create a group."""
        name, chosen = field(request, "name"), fields(request, "key")

        def create() -> Response:
            if not name:
                raise InputError("the group has no name: enter one that no other group of the account has")
            if not chosen:
                raise InputError("the group has no keys: choose at least one, because CloudFront allows no empty group")
            with self._account.client() as client:
                made = create_group(client, name, chosen, field(request, "comment"))
            return self._pages.go(f"/groups/{made.id}", f"Created {name} ({made.id}). Next: let a behavior trust it.")

        return attempt(create, partial(self._listing, request))

    def group(self, request: Request) -> Response:
        """Show one group: its keys, and the behaviors that trust it."""
        return self._group(request)

    def _group(self, request: Request, problem: Problem | None = None) -> Response:
        gaps = Gaps()
        group = self._find(request.path_params["group_id"])
        keys: list[UploadedKey] = gaps.get(self._keys, [])
        distributions: list[Distribution] | None = gaps.get(self._account.distributions, None)
        values = {
            "group": group,
            "known": {key.id: key for key in keys},
            "others": [key for key in keys if key.id not in group.keys and key.algorithm != "other"],
            "trusting": _trusting(distributions or [], group.id),
            "trusting_known": distributions is not None,
            "most": MOST_KEYS,
            "gaps": gaps.found,
        }
        return self._pages.html(request, "group.html", values, problem=problem)

    def _find(self, group_id: str) -> KeyGroup:
        found = next((each for each in self._account.groups() if each.id == group_id), None)
        if found is None:
            raise InputError(f"there is no key group {group_id!r} in this account: it may have been deleted")
        return found

    def add(self, request: Request) -> Response:
        """Add a key to a group."""
        group_id, key_id = request.path_params["group_id"], field(request, "key")

        def add() -> Response:
            if not key_id:
                raise InputError("no key is chosen: choose a public key to add")
            with self._account.client() as client:
                name, _, changed = add_key(client, group_id, key_id)
            text = f"{name} now has {key_id}." if changed else f"{key_id} was already in {name}."
            return self._pages.go(f"/groups/{group_id}", text)

        return attempt(add, partial(self._group, request))

    def remove(self, request: Request) -> Response:
        """Remove a key from a group."""
        group_id, key_id = request.path_params["group_id"], field(request, "key")

        def remove() -> Response:
            with self._account.client() as client:
                name, _, _ = remove_key(client, find_group(client, group_id), key_id)
            return self._pages.go(
                f"/groups/{group_id}", f"Removed {key_id} from {name}: what it signed is refused from now on."
            )

        return attempt(remove, partial(self._group, request))

    def delete(self, request: Request) -> Response:
        """Delete a group that no behavior trusts."""
        group_id = request.path_params["group_id"]

        def delete() -> Response:
            with self._account.client() as client:
                found = find_group(client, group_id)
                delete_group(client, found)
            return self._pages.go("/groups", f"Deleted {found.name} ({group_id}).")

        return attempt(delete, partial(self._group, request))


def _trusting(distributions: list[Distribution], group_id: str) -> list[Trusting]:
    return [
        Trusting(each, behavior.path_pattern)
        for each in distributions
        for behavior in in_order(each)
        if group_id in behavior.trusted_key_groups
    ]
