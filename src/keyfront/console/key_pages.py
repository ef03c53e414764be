"""The pages of public keys: list, import, a comment, delete."""

from dataclasses import dataclass
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyfront.account.key_groups import UploadedKey
from keyfront.account.public_keys import Comment, change_comment, delete_key, read_comment, upload_key
from keyfront.console.context import Context, field
from keyfront.console.problems import Gaps, Problem, attempt
from keyfront.core.keys import PublicKey
from keyfront.errors import InputError
from keyfront.inventory import KeyGroup


@dataclass(frozen=True, slots=True)
class Entered:
    """What a person has entered to import a key. It never holds a private key."""

    name: str = ""
    comment: str = ""
    pem: str = ""


class KeyPages:
    """The pages below `/keys`."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._account = context.account
        self._pages = context.pages

    @property
    def routes(self) -> list[Route]:
        """The paths of these pages."""
        return [
            Route("/keys", self.listing, methods=["GET"]),
            Route("/keys", self.import_key, methods=["POST"]),
            Route("/keys/{key_id}", self.key, methods=["GET"]),
            Route("/keys/{key_id}/comment", self.comment, methods=["POST"]),
            Route("/keys/{key_id}/delete", self.delete, methods=["POST"]),
        ]

    def listing(self, request: Request) -> Response:
        """Show a page of the account's keys, and the form to import one."""
        return self._listing(request, Entered())

    def _listing(self, request: Request, entered: Entered, problem: Problem | None = None) -> Response:
        gaps = Gaps()
        marker = request.query_params.get("marker", "")
        nothing: tuple[list[UploadedKey], str] = ([], "")
        keys, following = gaps.get(lambda: self._account.keys_page(marker), nothing)
        groups: list[KeyGroup] | None = gaps.get(self._account.groups, None)
        values = {
            "keys": keys,
            "holders": {key.id: _holding(groups, key.id) for key in keys},
            "groups_known": groups is not None,
            "last_used": self._context.last_used(),
            "entered": entered,
            "first": not marker,
            "following": following,
            "gaps": gaps.found,
        }
        return self._pages.html(request, "keys.html", values, problem=problem)

    def import_key(self, request: Request) -> Response:
        """Upload a public key."""
        pem = field(request, "pem")
        private = "PRIVATE KEY" in pem
        entered = Entered(field(request, "name"), field(request, "comment"), "" if private else pem)

        def upload() -> Response:
            if private:
                raise InputError(
                    "this is a private key, which only the signer needs: it was not sent to CloudFront; choose its "
                    "public key (public_key.pem)"
                )
            if not entered.name:
                raise InputError("the key has no name: enter one that no other key of the account has")
            key = PublicKey.load(pem)
            with self._account.client() as client:
                key_id = upload_key(client, key, entered.name, entered.comment)
            return self._pages.go(f"/keys/{key_id}", f"Imported {entered.name} as {key_id}. Next: put it into a group.")

        return attempt(upload, partial(self._listing, request, entered))

    def key(self, request: Request) -> Response:
        """Show one key: its groups, its comment, and whether it can be deleted."""
        return self._key(request, request.path_params["key_id"])

    def _key(self, request: Request, key_id: str, problem: Problem | None = None, yours: str | None = None) -> Response:
        gaps = Gaps()
        key = self._find(key_id)
        groups: list[KeyGroup] | None = gaps.get(self._account.groups, None)
        comment = Comment(key.comment, "")
        if not self._context.read_only:
            comment = gaps.get(lambda: self._comment(key_id), comment)
        values = {
            "key": key,
            "comment": comment,
            "yours": yours,
            "holders": _holding(groups, key_id),
            "others": [each for each in groups or () if key_id not in each.keys],
            "groups_known": groups is not None,
            "last_used": self._context.last_used(),
            "gaps": gaps.found,
        }
        return self._pages.html(request, "key.html", values, problem=problem)

    def _comment(self, key_id: str) -> Comment:
        with self._account.client() as client:
            return read_comment(client, key_id)

    def _find(self, key_id: str) -> UploadedKey:
        marker = ""
        while True:
            keys, marker = self._account.keys_page(marker)
            for key in keys:
                if key.id == key_id:
                    return key
            if not marker:
                raise InputError(f"there is no public key {key_id!r} in this account: it may have been deleted")

    def comment(self, request: Request) -> Response:
        """Replace a key's comment. If someone else has changed it, both comments are shown."""
        key_id = request.path_params["key_id"]
        wanted = Comment(field(request, "comment"), field(request, "etag"))

        def change() -> Response:
            with self._account.client() as client:
                change_comment(client, key_id, wanted)
            return self._pages.go(f"/keys/{key_id}", "The comment is saved.")

        return attempt(change, lambda problem: self._key(request, key_id, problem, wanted.text))

    def delete(self, request: Request) -> Response:
        """Delete a key that is in no group."""
        key_id = request.path_params["key_id"]

        def delete() -> Response:
            with self._account.client() as client:
                delete_key(client, key_id)
            return self._pages.go("/keys", f"Deleted {key_id}.")

        return attempt(delete, partial(self._key, request, key_id))


def _holding(groups: list[KeyGroup] | None, key_id: str) -> list[KeyGroup]:
    return [each for each in groups or () if key_id in each.keys]
