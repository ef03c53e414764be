"""The page that tries a link: the policy as it is typed, then the signed URL.

The key is one that this process can reach by a keystore address, or a private key that stays in the browser. For the
latter the page asks twice: for the bytes to sign, then, with the signature, for the URL.
"""

import base64
import binascii
import json
import shlex
import threading
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keyfront.account.key_groups import UploadedKey
from keyfront.console.context import Context, field
from keyfront.console.distribution_pages import path_of
from keyfront.console.problems import Gaps, as_json
from keyfront.core.entered_times import moment
from keyfront.core.keys import HashAlgorithm
from keyfront.core.signing import Signer
from keyfront.errors import InputError

_EXAMPLE: Final = "KEXAMPLE"
_WARNING: Final = threading.Lock()


@dataclass(frozen=True, slots=True)
class Base:
    """An address of a distribution, for the list of choices."""

    url: str
    label: str


@dataclass(slots=True)
class BrowserKey:
    """A key in the browser: it remembers the bytes to sign, and gives a signature that was made there."""

    signature: bytes = b"\0"
    signed: bytes = b""
    algorithm: Literal["rsa", "ecdsa"] = "rsa"

    def sign(self, data: bytes, hash_algorithm: HashAlgorithm = "SHA1") -> bytes:  # noqa: ARG002
        """Return the signature that the browser made."""
        self.signed = data
        return self.signature

    @property
    def public_key(self) -> Any:
        """Raise `InputError`: only the browser has the key."""
        raise InputError("the key is in the browser: only its public half in CloudFront is known here")


class LinkPages:
    """The page `/link`, and what its script asks."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._account = context.account

    @property
    def routes(self) -> list[Route]:
        """The paths of these pages."""
        return [
            Route("/link", self.page, methods=["GET"]),
            Route("/ask/link", self.link, methods=["POST"]),
            Route("/ask/qr", self.code, methods=["POST"]),
        ]

    def page(self, request: Request) -> Response:
        """Show the form."""
        gaps = Gaps()
        keys: list[UploadedKey] = gaps.get(lambda: self._account.keys_page("")[0], [])
        values = {
            "bases": gaps.get(self._bases, list[Base]()),
            "keys": [key for key in keys if key.algorithm != "other"],
            "signer": self._context.signer,
            "gaps": gaps.found,
        }
        return self._context.pages.html(request, "link.html", values)

    def _bases(self) -> list[Base]:
        return [
            Base(url, f"{url}{f' ({each.comment})' if each.comment else ''}")
            for each in self._account.distributions()
            for url in (*self._context.addresses(each.domain_name), *(f"https://{alias}" for alias in each.aliases))
        ]

    def link(self, request: Request) -> Response:
        """Return the policy, and if the form asks for it, the signed URL or what the browser must sign."""
        return as_json(lambda: self._link(request))

    def _link(self, request: Request) -> dict[str, object]:
        base, path = field(request, "base").rstrip("/"), path_of(field(request, "path"))
        if not base:
            raise InputError("no distribution is chosen: choose one, or enter a URL's beginning (https://…)")
        url = f"{base}{path or '/'}"
        key_id, where = field(request, "key_id"), field(request, "signer")
        key = BrowserKey(_signature(field(request, "signature")))
        in_browser = field(request, "key") == "browser"
        by_browser = Signer(key_id or _EXAMPLE, key, "SHA256" if field(request, "hash") == "SHA256" else "SHA1")
        terms = _terms(request, url)
        # The list of warnings belongs to the process, not to the thread.
        with _WARNING, warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            made = by_browser.sign_url(url, **terms)
            said = [str(each.message) for each in caught]
            policy = json.loads(key.signed)
            told: dict[str, object] = {
                "policy": json.dumps(policy, indent=2),
                "kind": "custom" if "Policy=" in made else "canned",
                "expires": int(terms["expires"]),
                "starts": int(terms["starts"]) if "starts" in terms else None,
                "until": f"{datetime.fromtimestamp(terms['expires'], UTC):%Y-%m-%d %H:%M:%S} UTC",
                "warnings": said,
            }
            if in_browser:
                if field(request, "signature"):
                    return told | _signed(made)
                return told | {"bytes": base64.b64encode(key.signed).decode()}
            if field(request, "sign"):
                return told | _signed(self._signer(where, key_id).sign_url(url, **terms))
        return told

    def _signer(self, address: str, key_id: str) -> Signer:
        from keyfront.keystore import open_keystore

        if not address:
            raise InputError("no key is given: enter the address of a keystore, such as ssm:/shop/signing-key")
        return open_keystore(address, key_id or None, connect=self._account.connect).signer()

    def code(self, request: Request) -> Response:
        """Return a QR code of a URL, as the address of a picture."""

        def draw() -> dict[str, object]:
            import segno

            try:
                code = segno.make(field(request, "url"), error="l", micro=False)
            except segno.DataOverflowError:
                raise InputError("this URL is too long for a QR code: a canned policy makes shorter ones") from None
            return {"image": code.svg_data_uri(scale=4, border=2, dark="#000", light="#fff")}

        return as_json(draw)


def _terms(request: Request, url: str) -> dict[str, Any]:
    """Return the arguments of `Signer.sign_url`. Times become seconds, so that both requests sign the same."""
    now = datetime.now(UTC).timestamp()
    expires = moment(field(request, "expires") or "1h", "Expires")
    terms: dict[str, Any] = {"expires": _seconds(expires, now)}
    if starts := field(request, "starts"):
        terms["starts"] = _seconds(moment(starts, "Starts"), now)
    if ip := field(request, "ip"):
        terms["ip"] = ip
    match field(request, "opens"):
        case "folder":
            terms["resource"] = f"{url[: url.rindex('/')]}/*"
        case "pattern":
            terms["resource"] = field(request, "resource")
    return terms


def _seconds(when: datetime | timedelta | int, now: float) -> int:
    if isinstance(when, timedelta):
        return int(now + when.total_seconds())
    return when if isinstance(when, int) else int(when.timestamp())


def _signature(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True) or b"\0"
    except binascii.Error:
        raise InputError("the signature from the browser is not base64: sign again") from None


def _signed(url: str) -> dict[str, object]:
    name = url.partition("?")[0].rpartition("/")[2] or "index.html"
    return {"url": url, "curl": f"curl -o {shlex.quote(name)} {shlex.quote(url)}"}
