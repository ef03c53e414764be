"""`keyfront audit`: what is wrong with an account's private content, most urgent first."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from keyfront.cli.options import AsJson, Connection, connects
from keyfront.cli.output import show, show_json
from keyfront.errors import InputError, KeyfrontError
from keyfront.home import install

if TYPE_CHECKING:
    from keyfront.account.audit import Evidence, Finding, NotChecked, Report, Settings
    from keyfront.account.audit.values import LogFacts

_Level = Literal["info", "low", "medium", "high", "critical"]
_COLOURS = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan", "info": "dim"}


@connects
def audit(
    config: Annotated[
        list[Path] | None,
        typer.Option("--config", metavar="FILE", help="Audit a saved configuration instead; more than once for more."),
    ] = None,
    keys: Annotated[
        Path | None, typer.Option("--keys", metavar="DIR", help="With --config: a folder of public keys.")
    ] = None,
    access_log: Annotated[
        list[Path] | None,
        typer.Option(
            "--access-log", metavar="FILE", help="Learn from a standard access log what links are signed with."
        ),
    ] = None,
    max_key_age: Annotated[
        int, typer.Option("--max-key-age", metavar="DAYS", min=1, help="Older keys are found.")
    ] = 365,
    policies_carry_ip: Annotated[
        bool, typer.Option("--policies-carry-ip", help="Your policies name addresses: IPv6 is then a finding.")
    ] = False,
    private_word: Annotated[
        list[str] | None, typer.Option("--private-word", metavar="WORD", help="Paths with this word are private too.")
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option("--ignore", metavar="ID[:RESOURCE]", help="Leave a finding out.")
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option("--baseline", metavar="FILE", help="Leave out what FILE lists: ID[:RESOURCE] a line, # comments."),
    ] = None,
    fail_on: Annotated[
        _Level | None,
        typer.Option("--fail-on", metavar="LEVEL", help="Exit 1 on a finding at or above: info … critical."),
    ] = None,
    sarif: Annotated[bool, typer.Option("--sarif", help="Print SARIF 2.1.0, for code scanning.")] = False,
    artifact: Annotated[
        str, typer.Option("--artifact", metavar="URI", help="The file that SARIF names, relative to the repository.")
    ] = "main.tf",
    graph: Annotated[
        Path | None, typer.Option("--graph", metavar="FILE", help="Draw who trusts what into FILE (SVG).")
    ] = None,
    *,
    connection: Connection,
    as_json: AsJson = False,
) -> None:
    """Report what is wrong with the account's private content, and how to fix it. Changes nothing.

    What may not be read is said to be not checked, with the IAM action that is missing; no secret's value is read.

    \b
    Example:
      keyfront audit --fail-on high --graph trust.svg
    """
    from datetime import UTC, datetime

    from keyfront.account.audit import Settings, Severity, judge
    from keyfront.account.audit.access_logs import read_logs

    if as_json and sarif:
        raise InputError("--json and --sarif print different things: give one of them")
    settings = Settings(
        datetime.now(UTC), max_key_age, policies_carry_ip, frozenset(word.lower() for word in private_word or ())
    )
    log = read_logs(access_log) if access_log else None
    if config:
        account, notes = _saved(config, keys, settings, log)
    else:
        account, notes = _live(settings, log, connection)
    report = judge(account, notes, _ignored(ignore or [], baseline))
    if graph:
        from keyfront.account.audit.graph import draw

        try:
            graph.write_text(draw(account.inventory, report.findings), "utf-8")
        except OSError as error:
            raise InputError(f"{str(graph)!r} cannot be written: {error.strerror}") from None
    if sarif:
        from keyfront.account.audit.sarif import sarif as as_sarif

        show_json(as_sarif(report, artifact=artifact))  # type: ignore[arg-type]
    elif as_json:
        show_json({
            "findings": [_told(each) for each in report.findings],
            "not_checked": [{"what": each.what, "needs": each.needs} for each in report.not_checked],
            "ignored": report.ignored,
        })  # fmt: skip
    else:
        _print(report)
    if fail_on and any(each.severity >= Severity[fail_on.upper()] for each in report.findings):
        raise typer.Exit(1)


def _saved(
    files: list[Path], keys: Path | None, settings: "Settings", log: "LogFacts | None"
) -> "tuple[Evidence, list[NotChecked]]":
    from keyfront.account.audit import NotChecked, saved_account
    from keyfront.inventory.files import read_files

    needs = "an account instead of --config"
    notes = [NotChecked(each, needs) for each in ("buckets", "parameters, secrets and KMS keys", "ages of keys")]
    return saved_account(read_files(files, keys=keys), settings, log), notes


def _live(settings: "Settings", log: "LogFacts | None", connection: Connection) -> "tuple[Evidence, list[NotChecked]]":
    from keyfront.account.audit import read_account
    from keyfront.cli.cloudfront import cloudfront

    with cloudfront(connection) as service:
        import boto3
        from botocore.config import Config

        # One for all services: each parses what botocore knows of endpoints.
        session = boto3.Session(profile_name=connection.profile, region_name=connection.region)
        key = "test" if connection.endpoint_url and not session.get_credentials() else None

        def client(name: str) -> Any:
            return session.client(
                name,  # type: ignore[call-overload]
                region_name=session.region_name or "us-east-1",
                endpoint_url=connection.endpoint_url,
                aws_access_key_id=key,
                aws_secret_access_key=key,
                config=Config(s3={"addressing_style": "path"}) if connection.endpoint_url else None,
            )

        return read_account(service, client, settings, log)


def _ignored(given: list[str], baseline: Path | None) -> list[str]:
    from keyfront.account.audit.checks import RULES

    lines = [*given]
    if baseline:
        try:
            text = baseline.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"the baseline {str(baseline)!r} cannot be read: {error}") from None
        lines += [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    known = {rule.id for rule in RULES}
    for line in lines:
        if line.partition(":")[0] not in known:
            raise InputError(f"there is no finding {line.partition(':')[0]!r}; there are: {', '.join(sorted(known))}")
    return lines


def _told(finding: "Finding") -> dict[str, Any]:
    return {
        "id": finding.rule.id,
        "severity": str(finding.severity),
        "title": finding.rule.title,
        "resource": finding.resource,
        "evidence": finding.evidence,
        "why": finding.rule.why,
        "mend": finding.fix,
        **({"example": finding.example} if finding.example else {}),
    }


def _print(report: "Report") -> None:
    try:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text
    except ModuleNotFoundError:
        raise KeyfrontError(f"this command needs rich: {install('cli,aws')}") from None

    console = Console(highlight=False)
    if report.findings:
        table = Table(show_lines=True)
        table.add_column("severity", no_wrap=True)
        table.add_column("finding", overflow="fold", ratio=1)
        for each in report.findings:
            colour = _COLOURS[str(each.severity)]
            text = Text.assemble(
                (each.rule.title, "bold"), f"\n{each.resource}  ", (each.rule.id, "dim"),
                f"\n{each.evidence} {each.rule.why}\n", ("fix: ", "green"), each.fix,
            )  # fmt: skip
            table.add_row(Text(str(each.severity), style=colour), text)
        console.print(table)
    for note in report.not_checked:
        console.print(Text(str(note), style="dim"))
    ignored = f", {report.ignored} ignored" if report.ignored else ""
    count = len(report.findings)
    show(f"{count} finding{'' if count == 1 else 's'}{ignored}, {len(report.not_checked)} not checked")


def register(app: typer.Typer) -> None:
    """Add `keyfront audit` to the application."""
    app.command()(audit)
