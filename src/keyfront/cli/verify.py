"""`keyfront verify`: show CloudFront's answer to a request, and why."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from keyfront.cli.asked import address, as_sent, trusted
from keyfront.cli.options import AsJson
from keyfront.cli.output import Json, marks, show, show_json
from keyfront.cli.times import moment

if TYPE_CHECKING:
    from keyfront.core.verification import Decision


def verify(
    url: Annotated[
        str,
        typer.Argument(
            metavar="URL", help="The signed URL as the viewer sends it. Put it in quotes, because it contains &."
        ),
    ],
    trust: Annotated[
        list[str],
        typer.Option(
            "--trust",
            metavar="ID=FILE",
            help="A trusted key: its id and the file with the public key. Repeatable.",
        ),
    ],
    cookie: Annotated[
        str, typer.Option("--cookie", metavar="HEADER", help="The Cookie header that the viewer sends: 'a=b; c=d'.")
    ] = "",
    ip: Annotated[str, typer.Option("--ip", metavar="ADDRESS", help="The viewer's address.")] = "",
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="TIME",
            help="Check the request at this time instead of now; same format as `sign --expires`.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check a request as CloudFront would, and say why it is allowed or refused.

    Exit status: 0 allowed, 1 refused. --json prints allowed, CloudFront's status, code and message, reason (keyfront's
    own word for scripts, such as expired), and every check.

    \b
    Examples:
      keyfront verify "$URL" --trust K2JCJMDEHXQW5F=public_key.pem
      keyfront verify "$URL" --trust K2JCJMDEHXQW5F=public_key.pem --ip 192.0.2.10 --at 2030-01-01T00:00:00Z
      keyfront verify https://media.example.com/42/1.ts --cookie "$COOKIE" --trust K2JCJMDEHXQW5F=public_key.pem
    """
    from keyfront.core.verification import ViewerRequest
    from keyfront.core.verification import verify as judge

    keys = trusted(trust)
    request = ViewerRequest(as_sent(url), cookie, address(ip))
    decision = judge(request, keys, _when(at))
    if as_json:
        show_json(_told(decision))
    else:
        show(_readable(decision))
    if not decision.allowed:
        raise typer.Exit(1)


def _when(at: str | None) -> float:
    from keyfront.core.policy import epoch

    now = time.time()
    return now if at is None else epoch(moment(at, "--at"), now, "--at")


def _told(decision: "Decision") -> dict[str, Json]:
    return {
        "allowed": decision.allowed,
        "status": decision.status,
        "code": decision.code,
        "message": decision.message,
        "reason": decision.reason,
        "checks": [{"name": check.name, "ok": check.ok, "detail": check.detail} for check in decision.checks],
    }


def _readable(decision: "Decision") -> str:
    passed, failed = marks()
    if decision.allowed:
        head = "allowed"
    else:
        head = f"refused: {decision.reason} (CloudFront answers {decision.status} {decision.code}: {decision.message})"
    width = max(len(check.name) for check in decision.checks)
    checks = [
        f"  {passed if check.ok else failed} {check.name.ljust(width)}  {check.detail}" for check in decision.checks
    ]
    return "\n".join([head, *checks])


def register(app: typer.Typer) -> None:
    """Add `keyfront verify` to the application."""
    app.command("verify")(verify)
