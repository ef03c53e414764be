"""`keyfront explain`: explain why a link is allowed or refused, and how to fix it."""

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from keyfront.cli import pasted_request
from keyfront.cli.asked import address, text_of, trusted
from keyfront.cli.distribution import distribution as read_distribution
from keyfront.cli.options import AsJson, Connection, PassphraseFile, connects
from keyfront.cli.output import show_json, warn
from keyfront.cli.times import moment
from keyfront.core.showing import told
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
    country: Annotated[
        str,
        typer.Option(
            "--country", metavar="CODE", help="The viewer's country, in two letters, for geographic restrictions."
        ),
    ] = "",
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
    from keyfront.explain.inputs.asked import as_sent, cookie_header, link_of

    settled = read_distribution(distribution, connection)
    names = [name.lower() for name in host or []]
    asked = pasted_request.read(url, cookie, curl, har, lambda host: _names(host, settled, names))
    asked.link = link_of(asked, [*names, *(settled.names if settled else ())])
    if "#" in asked.link.url:
        warn("viewers do not send the part after #: it is ignored")
    request = ViewerRequest(as_sent(asked.link.url), cookie_header(asked.cookie), address(ip))
    deadline = time.monotonic() + _SEARCH_SECONDS
    key_id = credentials_of(request)[0].get("Key-Pair-Id", "")
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
        headers=asked.headers,
        country=_country(country),
        pasted=asked.link,
    )
    if html is not None:
        _write_page(report, html)
    if as_json:
        show_json(report.to_json())
    else:
        from keyfront.cli.reports.terminal import show

        show(report)
    raise typer.Exit(_STATUS[report.verdict.outcome])


def _names(host: str, distribution: "Distribution | None", names: list[str]) -> bool:
    """Return whether --distribution or --host names `host` (with its port)."""
    if host in names or host.partition(":")[0] in names:
        return True
    return distribution is not None and bool(distribution.names) and distribution.answers_to(host)


def _country(code: str) -> str:
    if code and not re.fullmatch(r"[A-Za-z]{2}", code):
        raise InputError(f"--country {told(code)} is not a country: give its two letters, such as DE")
    return code.upper()


def _when(at: str | None, recorded: float | None) -> float:
    from keyfront.core.policy import epoch

    now = time.time()
    if at is not None:
        return epoch(moment(at, "--at"), now, "--at")
    return now if recorded is None else recorded


def _stands_for(public_key: Path | None, key_id: str) -> bool:
    """Return whether --public-key is the key with the link's id: only if that can be the id of a key."""
    return public_key is not None and re.fullmatch(r"(?:K|APKA)[A-Z0-9]{9,}", key_id) is not None


def _trusted(entries: list[str], public_key: Path | None, key_id: str) -> "dict[str, PublicKey] | None":
    if not entries and (public_key is None or not key_id):
        return None
    from keyfront.cli.secrets import public_key as load

    keys = trusted(entries)
    if public_key is not None and _stands_for(public_key, key_id):
        keys.setdefault(key_id, load(public_key))
    return keys


def _offered(
    private_key: Path | None, passphrase_file: Path | None, public_key: Path | None, key_id: str
) -> "dict[str, PublicKey]":
    keys: dict[str, PublicKey] = {}
    if private_key is not None:
        from keyfront.cli.secrets import signing_key

        keys[f"in {private_key.name}"] = signing_key(private_key, passphrase_file).public_key
    if public_key is not None and not _stands_for(public_key, key_id):
        from keyfront.cli.secrets import public_key as load

        keys[f"in {public_key.name}"] = load(public_key)
    return keys


def _response(file: Path) -> "Response":
    from keyfront.explain.inputs.answer import response

    return response(text_of(file, "the response"))


def _write_page(report: "Report", file: Path) -> None:
    from keyfront.explain.page import page

    try:
        file.write_text(page(report), "utf-8")
    except OSError as error:
        raise InputError(f"cannot write the page to {file}: {error.strerror}") from None


def register(app: typer.Typer) -> None:
    """Add `keyfront explain` to the application."""
    app.command("explain")(explain)
