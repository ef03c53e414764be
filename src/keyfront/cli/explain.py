"""`keyfront explain`: explain why a link is allowed or refused, and how to fix it."""

import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from keyfront.cli.asked import address, as_sent, trusted
from keyfront.cli.options import AsJson, Connection, PassphraseFile, connects
from keyfront.cli.output import show_json
from keyfront.cli.times import moment
from keyfront.errors import InputError

if TYPE_CHECKING:
    from keyfront.core.keys import PublicKey
    from keyfront.explain import Distribution, Report, Response

_STATUS: Final = {"allowed": 0, "refused": 1, "unknown": 3}
_SEARCH_SECONDS: Final = 1.0


@connects
def explain(
    url: Annotated[
        str,
        typer.Argument(
            metavar="[URL]",
            help="The signed URL as the viewer sends it. Put it in quotes, because it contains &.",
            show_default=False,
        ),
    ] = "",
    cookie: Annotated[
        str, typer.Option("--cookie", metavar="HEADER", help="The Cookie header ('a=b; c=d'), or Set-Cookie lines.")
    ] = "",
    curl: Annotated[
        str,
        typer.Option(
            "--curl", metavar="FILE", help="A file with a curl command as browsers copy it; - reads standard input."
        ),
    ] = "",
    har: Annotated[
        Path | None,
        typer.Option(
            "--har",
            metavar="FILE",
            help="A HAR file. Explains its first refused request to the host of the URL, --distribution or --host, or "
            "else to any host that CloudFront served.",
        ),
    ] = None,
    public_key: Annotated[
        Path | None, typer.Option("--public-key", metavar="FILE", help="The public key with the link's id.")
    ] = None,
    trust: Annotated[
        list[str] | None,
        typer.Option("--trust", metavar="ID=FILE", help="A trusted key: its id and its public key. Repeatable."),
    ] = None,
    private_key: Annotated[
        Path | None,
        typer.Option(
            "--private-key",
            metavar="FILE",
            help="The key that should have signed, to check that it belongs to the id. It is never shown.",
        ),
    ] = None,
    passphrase_file: PassphraseFile = None,
    distribution: Annotated[
        str,
        typer.Option(
            "--distribution",
            metavar="ID|FILE",
            help="The distribution's id, for the CloudFront API, or a file with the output of `aws cloudfront "
            "get-distribution-config`.",
        ),
    ] = "",
    response: Annotated[
        Path | None,
        typer.Option("--response", metavar="FILE", help="The response: its body, or the output of curl -i."),
    ] = None,
    host: Annotated[
        list[str] | None,
        typer.Option("--host", metavar="NAME", help="Another name of the same distribution. Repeatable."),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="TIME", help="Check the request at this time; same format as `sign --expires`."),
    ] = None,
    ip: Annotated[str, typer.Option("--ip", metavar="ADDRESS", help="The viewer's address.")] = "",
    as_json: AsJson = False,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write the report as one page, to send to a colleague."),
    ] = None,
    about: Annotated[
        str,
        typer.Option("--about", metavar="ID", help="Print a finding's description and code; `all` lists the ids."),
    ] = "",
    *,
    connection: Connection,
) -> None:
    """Explain why CloudFront refuses a link, and how to fix it.

    The report has the first reason, the others, and what was signed instead. Give everything you have; only the
    request is required. Exit status: 0 allowed, 1 refused, 2 bad input, 3 not known (the report says what is missing).

    \b
    Examples:
      keyfront explain "$URL"
      keyfront explain "$URL" --public-key public_key.pem --response answer.xml
      keyfront explain --curl - --distribution E2QWRUHAPOMQZL     # paste the command, then Ctrl-D
      keyfront explain --about expired
    """
    if about:
        from keyfront.cli.reports.about import tell

        if url or curl or har:
            raise InputError("--about ID explains a finding, not a request: give it without a request")
        tell(about, as_json=as_json)
        return
    from keyfront.core.verification import ViewerRequest, credentials_of
    from keyfront.explain import Budget
    from keyfront.explain import explain as diagnose

    settled = _distribution(distribution, connection)
    names = [name.lower() for name in host or []]
    asked = _asked(url, cookie, curl, har, lambda host: _names(host, settled, names))
    request = ViewerRequest(asked.url, asked.cookie, address(ip))
    key_id = credentials_of(request)[0].get("Key-Pair-Id", "")
    deadline = time.monotonic() + _SEARCH_SECONDS
    report = diagnose(
        request,
        now=_when(at, asked.at),
        trusted_keys=_trusted(trust or [], public_key, key_id),
        distribution=settled,
        response=_response(response) if response else asked.response,
        offered_keys=_offered(private_key, passphrase_file, public_key, key_id),
        method=asked.method,
        hosts=names,
        budget=Budget(spent=lambda: time.monotonic() > deadline),
    )
    if html is not None:
        _write_page(report, html)
    if as_json:
        show_json(report.to_json())
    else:
        from keyfront.cli.reports.terminal import show

        show(report)
    raise typer.Exit(_STATUS[report.verdict.outcome])


class _Asked:
    """The request, from the URL, a curl command or a HAR file."""

    def __init__(self, url: str, cookie: str) -> None:
        self.url = url
        self.cookie = cookie
        self.method = ""
        self.response: Response | None = None
        self.at: float | None = None


def _names(host: str, distribution: "Distribution | None", names: list[str]) -> bool:
    """Return whether --distribution or --host names `host` (with its port)."""
    if host in names or host.partition(":")[0] in names:
        return True
    return distribution is not None and bool(distribution.names) and distribution.answers_to(host)


def _asked(url: str, cookie: str, curl: str, har: Path | None, ours: Callable[[str], bool]) -> _Asked:
    if curl and har:
        raise InputError("give --curl or --har, not both")
    if curl and url:
        raise InputError("give the URL or --curl, not both: the command contains its URL")
    asked = _Asked(url, cookie)
    if curl:
        from keyfront.explain.inputs import pasted

        text = sys.stdin.read() if curl == "-" else _text(Path(curl), "the curl command")
        found = pasted.request(text)
        asked.url, asked.method = found.url, found.method
        asked.cookie = cookie or found.cookie
    elif har:
        from keyfront.explain.inputs.har import request as recorded_request

        recorded = recorded_request(_text(har, "the HAR file"), url, ours)
        asked.url, asked.method, asked.at = recorded.url, recorded.method, recorded.at
        asked.cookie = cookie or recorded.cookie
        asked.response = recorded.response
    asked.url = _as_sent(asked.url)
    asked.cookie = _cookie_header(asked.cookie)
    return asked


def _as_sent(url: str) -> str:
    url = url.strip()
    if not url:
        raise InputError("give a URL, --curl FILE or --har FILE")
    sent = as_sent(url)
    scheme, _, rest = sent.partition("://")
    host = re.split(r"[/?]", rest, maxsplit=1)[0]
    tail = rest[len(host) :]
    return f"{scheme.lower()}://{host.lower()}{'' if tail.startswith('/') else '/'}{tail}"


def _cookie_header(text: str) -> str:
    """Return a Cookie header from pasted text: a header with its name, or Set-Cookie lines."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    bare = []
    for line in lines:
        name, colon, value = line.partition(":")
        bare.append(value.strip() if colon and name.strip().lower() in ("cookie", "set-cookie") else line)
    return "; ".join(bare)


def _when(at: str | None, recorded: float | None) -> float:
    from keyfront.core.policy import epoch

    now = time.time()
    if at is not None:
        return epoch(moment(at, "--at"), now, "--at")
    return now if recorded is None else recorded


def _trusted(entries: list[str], public_key: Path | None, key_id: str) -> "dict[str, PublicKey] | None":
    if not entries and (public_key is None or not key_id):
        return None
    from keyfront.cli.secrets import public_key as load

    keys = trusted(entries)
    if public_key is not None and key_id:
        keys.setdefault(key_id, load(public_key))
    return keys


def _offered(
    private_key: Path | None, passphrase_file: Path | None, public_key: Path | None, key_id: str
) -> "dict[str, PublicKey]":
    keys: dict[str, PublicKey] = {}
    if private_key is not None:
        from keyfront.cli.secrets import signing_key

        keys[f"in {private_key.name}"] = signing_key(private_key, passphrase_file).public_key
    if public_key is not None and not key_id:
        from keyfront.cli.secrets import public_key as load

        keys[f"in {public_key.name}"] = load(public_key)
    return keys


def _distribution(given: str, connection: Connection) -> "Distribution | None":
    if not given:
        return None
    from keyfront.explain import from_inventory
    from keyfront.inventory import parse_distribution, read

    file = Path(given)
    if file.suffix == ".json" or file.is_file():
        import json

        text = _text(file, "the distribution")
        try:
            document = json.loads(text)
        except ValueError:
            raise InputError(f"--distribution {given}: this file is not JSON") from None
        if not isinstance(document, dict):
            raise InputError(f"--distribution {given}: this file contains no distribution")
        return from_inventory(parse_distribution(document))
    from keyfront.cli.cloudfront import cloudfront

    with cloudfront(connection) as client:
        account = read(client)
    for each in account.distributions:
        if given == each.id or given.lower() in (each.domain_name.lower(), *(name.lower() for name in each.aliases)):
            return from_inventory(each, account)
    known = ", ".join(each.id for each in account.distributions) or "none"
    raise InputError(
        f"--distribution {given}: there is no such distribution in the account (it has {known}), and no such file"
    )


def _response(file: Path) -> "Response":
    from keyfront.explain.inputs.answer import response

    return response(_text(file, "the response"))


def _text(file: Path, what: str) -> str:
    try:
        return file.read_text("utf-8", "replace")
    except OSError as error:
        raise InputError(f"cannot read {what} from {file}: {error.strerror}") from None


def _write_page(report: "Report", file: Path) -> None:
    from keyfront.explain.page import page

    try:
        file.write_text(page(report), "utf-8")
    except OSError as error:
        raise InputError(f"cannot write the page to {file}: {error.strerror}") from None


def register(app: typer.Typer) -> None:
    """Add `keyfront explain` to the application."""
    app.command("explain")(explain)
