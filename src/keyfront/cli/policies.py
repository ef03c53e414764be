"""`keyfront policy`: check custom policies before they are signed."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from keyfront.cli.options import AsJson
from keyfront.cli.output import Json, show, show_json
from keyfront.cli.times import moment, span
from keyfront.errors import InputError

if TYPE_CHECKING:
    from keyfront.core.policy import Policy
    from keyfront.explain.lint import Linted

_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

_MOST_BYTES: Final = 1 << 20


@_app.callback()
def _policy() -> None:
    """Check custom policies before they are signed."""


@_app.command()
def lint(
    file: Annotated[
        str,
        typer.Argument(metavar="FILE", help="The policy as JSON, or encoded as in a link; - reads standard input."),
    ],
    url: Annotated[
        str | None, typer.Option("--url", metavar="URL", help="A URL that the policy must cover, not signed.")
    ] = None,
    ipv6: Annotated[
        bool,
        typer.Option(
            "--ipv6", help="The distribution has IPv6 enabled, where a policy with an address allows no viewer."
        ),
    ] = False,
    max_lifetime: Annotated[
        str, typer.Option("--max-lifetime", metavar="SPAN", help="Warn if the expiry is further away than this.")
    ] = "7d",
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="TIME",
            help="Check the policy at this time instead of now; same format as `sign --expires`.",
        ),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count as errors.")] = False,
    as_json: AsJson = False,
) -> None:
    """Find what CloudFront would refuse in a policy, and what is rarely meant, before it is signed.

    FILE may also contain a whole link or Cookie header. Its policy is checked, its signature is not. Exit status: 0
    without errors (warnings are printed), 1 with errors.

    \b
    Examples:
      keyfront policy lint policy.json
      keyfront policy lint policy.json --url https://media.example.com/42/1.ts --ipv6 --strict
      pbpaste | keyfront policy lint -
    """
    from keyfront.core.policy import epoch
    from keyfront.explain.lint import lint as judge

    longest = span(max_lifetime, "--max-lifetime").total_seconds()
    now = time.time()
    when = now if at is None else epoch(moment(at, "--at"), now, "--at")
    name = "standard input" if file == "-" else file
    text = _text(file, name)
    try:
        linted = judge(text, now=when, url=url, ipv6=ipv6, max_lifetime=longest)
    except InputError as error:
        raise InputError(f"{'--url' if error.member == 'url' else name}: {error}") from None
    if as_json:
        show_json(_told(name, linted))
    else:
        _print(name, linted, url, when)
    if linted.errors or (strict and linted.warnings):
        raise typer.Exit(1)


def _text(file: str, name: str) -> str:
    try:
        if file == "-":
            data = sys.stdin.buffer.read(_MOST_BYTES + 1)
        else:
            with Path(file).open("rb") as opened:
                data = opened.read(_MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot read {name}: {error.strerror}") from None
    if len(data) > _MOST_BYTES:
        raise InputError(f"{name} is larger than a megabyte: give a file with one policy")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise InputError(f"{name} is not UTF-8 text: save the policy's JSON as UTF-8") from None


def _told(name: str, linted: "Linted") -> dict[str, Json]:
    from keyfront.explain.values import about

    policy = linted.policy
    return {
        "file": name,
        "policy": None
        if policy is None
        else {"resource": policy.resource, "expires": policy.expires, "starts": policy.starts, "ip": policy.ip},
        "errors": linted.errors,
        "warnings": linted.warnings,
        "findings": [
            {
                "id": each.id,
                "severity": each.severity,
                "text": each.text,
                "page": each.page or None,
                "about": about(each.id),
            }
            for each in linted.findings
        ],
    }


def _print(name: str, linted: "Linted", url: str | None, now: float) -> None:
    from keyfront.explain.wording import clean

    for each in linted.findings:
        show(clean(f"{name}: {each.severity}: {each.text} [{each.id}]"))
    if linted.policy is not None and not linted.errors:
        covered = f"; it covers {url}" if url else ""
        show(clean(f"{name} lets {_allowed(linted.policy, now)}{covered}"))
    counts = [_counted(linted.errors, "error"), _counted(linted.warnings, "warning")]
    show(f"{', '.join(counts)}" if linted.findings else "nothing to fix")


def _allowed(policy: "Policy", now: float) -> str:
    """Return in one line what the policy allows."""
    from keyfront.explain.times import relative, utc

    start = "" if policy.starts is None else f"after {utc(policy.starts)} and "
    where = "anyone" if policy.ip is None else f"viewers at {policy.ip}"
    what = "everything" if policy.resource is None else policy.resource
    what = what if len(what) <= 160 else f"{what[:159]}…"
    return f"{where} get {what}, {start}before {utc(policy.expires)} ({relative(policy.expires, now)})"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def register(app: typer.Typer) -> None:
    """Add `keyfront policy` to the application."""
    app.add_typer(_app, name="policy", help="Check custom policies before they are signed.")
