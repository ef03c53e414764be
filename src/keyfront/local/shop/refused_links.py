"""Explains why one of the shop's links does not open its file: requests it from the edge, and explains the refusal."""

import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from keyfront.backend.service.keyset import NoRedirects
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
    """The result for a link."""

    opens: bool
    """Whether the edge accepts it. The other members are then empty."""
    status: int = 0
    answer: str = ""
    """The edge's response: `AccessDenied: Access denied`."""
    id: str = ""
    """The id of the finding. Empty if the reason is unknown."""
    title: str = ""
    evidence: str = ""
    cause: str = ""
    fix: str = ""


# A redirect means that the edge did not accept the link. Without proxies, the shop reaches the edge as viewers do.
_open = urllib.request.build_opener(NoRedirects, urllib.request.ProxyHandler({})).open


def ours(link: str, base_url: str) -> str:
    """Return `link` if it leads to the distribution at `base_url`. Raises `RefusedError` for all others."""
    link = link.strip()
    if not link:
        raise RefusedError(bad_request("Paste the whole link, from http to the end."))
    if len(link) > MOST_CHARACTERS:
        raise RefusedError(
            bad_request(
                f"This link has {len(link):,} characters, but at most {MOST_CHARACTERS:,} are possible. Copy it again."
            )
        )
    if not link.isascii() or any(character <= " " for character in link):
        raise RefusedError(
            bad_request("A link cannot contain spaces or letters with accents. Copy it from the address bar.")
        )
    link = link.partition("#")[0]
    try:
        parts, base = urlsplit(link), urlsplit(base_url)
    except ValueError:
        raise RefusedError(bad_request("This is not a link. A link begins with http:// or https://.")) from None
    if (parts.scheme.lower(), parts.netloc.lower()) != (base.scheme.lower(), base.netloc.lower()):
        raise RefusedError(bad_request(f"This shop can explain only its own downloads, which begin with {base_url}/."))
    return link if parts.path else f"{base_url}/{link[len(base_url) :]}"


def explain_link(link: str, *, keys: dict[str, PublicKey], now: float) -> Explained:
    """Request `link` (see `ours`) from the edge, and explain a refusal at `now` (seconds since the epoch).

    `keys` are the shop's public keys, by their ids. Raises `ServiceError` if the edge does not respond.
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
        # The edge knows all trusted keys. The shop knows only its own.
        told = (rule.id, rule.title, "", rule.cause, rule.fix)
    else:
        told = ("", "", "", "", "")
    return Explained(False, response.status, response.shown, *told)


def _asked(link: str) -> tuple[Response, str]:
    """Request at most the first byte of the file. Return the response, and the finding that the edge names."""
    parts = urlsplit(link)
    headers = {"Range": "bytes=0-0", "User-Agent": "keyfront", "Host": parts.netloc}
    host, _, port = parts.netloc.partition(":")
    if parts.scheme == "http" and host.lower().endswith(".localhost"):
        # Names under localhost are this machine (RFC 6761, section 6.3), but not every resolver knows that.
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
        raise ServiceError(f"the edge does not respond: {error}") from None
