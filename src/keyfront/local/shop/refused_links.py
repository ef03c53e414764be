"""Why one of our own links does not open its file: the edge is asked, and its refusal explained in words."""

import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage
from typing import IO, Final
from urllib.parse import urlsplit, urlunsplit

from keyfront.backend.service.refusals import RefusedError, bad_request
from keyfront.core.keys import PublicKey
from keyfront.core.verification import ViewerRequest
from keyfront.errors import ServiceError
from keyfront.explain import Budget, Response, explain
from keyfront.explain.rules import RULES

MOST_CHARACTERS: Final = 8192
_SECONDS: Final = 5
_MOST_BYTES: Final = 16 * 1024
_MOST_TRIES: Final = 2000
_FINDING: Final = "X-Keyfront-Finding"


@dataclass(frozen=True, slots=True)
class Explained:
    """What became of a link."""

    opens: bool
    """Whether the edge lets it in. The rest is then empty."""
    status: int = 0
    answer: str = ""
    """What the edge said: `AccessDenied: Access denied`."""
    id: str = ""
    """Of the finding; empty where nobody knows the reason."""
    title: str = ""
    evidence: str = ""
    cause: str = ""
    fix: str = ""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """An edge that sends us elsewhere has not let the link in; and we go nowhere that was not checked."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        """No request: the redirect is then an error."""


# Without proxies: the distribution is reached as viewers reach it.
_open = urllib.request.build_opener(_NoRedirects, urllib.request.ProxyHandler({})).open


def ours(link: str, base_url: str) -> str:
    """`link`, if it leads to the distribution at `base_url`; nothing else is ever asked for. Raises `RefusedError`."""
    link = link.strip()
    if not link:
        raise RefusedError(bad_request("Paste the whole link, from http to its end."))
    if len(link) > MOST_CHARACTERS:
        raise RefusedError(
            bad_request(f"This link has {len(link):,} characters; none has more than {MOST_CHARACTERS:,}.")
        )
    if not link.isascii() or any(character <= " " for character in link):
        raise RefusedError(
            bad_request("A link holds no spaces and no letters with accents: copy it from the address bar.")
        )
    link = link.partition("#")[0]
    try:
        parts, base = urlsplit(link), urlsplit(base_url)
    except ValueError:
        raise RefusedError(bad_request("This is not a link: a link begins with http:// or https://.")) from None
    if (parts.scheme.lower(), parts.netloc.lower()) != (base.scheme.lower(), base.netloc.lower()):
        raise RefusedError(
            bad_request(f"This shop's downloads begin with {base_url}/, and only those can be explained here.")
        )
    return link if parts.path else f"{base_url}/{link[len(base_url) :]}"


def explain_link(link: str, *, keys: dict[str, PublicKey], now: float) -> Explained:
    """Ask the edge for `link` (see `ours`), and explain its refusal at `now` (seconds since the epoch).

    `keys` are the public halves of our own, by their ids. Raises `ServiceError` when the edge does not answer.
    """
    response, finding = _asked(link)
    if response.status < 300 or response.status == 416:  # 416: an empty file has no first byte
        return Explained(opens=True)
    report = explain(
        ViewerRequest(link), now=now, trusted_keys=keys, response=response, budget=Budget(tries=_MOST_TRIES)
    )
    found = next((each for each in report.findings if each.id == finding), None)
    if found is None and finding not in RULES:
        found = next((each for each in report.findings if each.severity == "error"), None)
    if found is not None:
        told = (found.id, found.title, found.evidence, found.cause, found.fix)
    elif rule := RULES.get(finding):
        # The edge knows whom it trusts, and we only which key is ours.
        told = (rule.id, rule.title, "", rule.cause, rule.fix)
    else:
        told = ("", "", "", "", "")
    return Explained(False, response.status, response.shown, *told)


def _asked(link: str) -> tuple[Response, str]:
    """What the edge answers, of the file no more than its first byte; and the finding that it names."""
    parts = urlsplit(link)
    headers = {"Range": "bytes=0-0", "User-Agent": "keyfront", "Host": parts.netloc}
    host, _, port = parts.netloc.partition(":")
    if parts.scheme == "http" and host.lower().endswith(".localhost"):
        # Names under localhost are this machine (RFC 6761, section 6.3); not every resolver knows that.
        parts = parts._replace(netloc=f"127.0.0.1:{port}" if port else "127.0.0.1")
    request = urllib.request.Request(urlunsplit(parts), headers=headers)  # noqa: S310
    try:
        with _open(request, timeout=_SECONDS) as answer:
            return Response(answer.status, {}, ""), ""
    except urllib.error.HTTPError as refusal:
        with refusal:
            said = {name.lower(): value for name, value in refusal.headers.items()}
            body = refusal.read(_MOST_BYTES).decode("utf-8", "replace")
            return Response(refusal.code, said, body), refusal.headers.get(_FINDING, "")
    except (OSError, HTTPException, ValueError) as error:
        raise ServiceError(f"the edge does not answer: {error}") from None
