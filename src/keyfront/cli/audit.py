"""`keyfront audit`: report what is wrong with an account's private content, most urgent first."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from keyfront.cli.extras import needs
from keyfront.cli.options import AsJson, Connection, connects
from keyfront.cli.output import show, show_json
from keyfront.errors import InputError, KeyfrontError
from keyfront.home import install

if TYPE_CHECKING:
    from keyfront.account.audit import Evidence, Finding, NotChecked, Report, Settings
    from keyfront.account.audit.values import KeyLog, LogFacts
    from keyfront.inventory import Distribution

_Level = Literal["info", "low", "medium", "high", "critical"]
_COLOURS = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan", "info": "dim"}


@connects
def audit(
    config: Annotated[
        list[Path] | None,
        typer.Option("--config", metavar="FILE", help="Audit a saved configuration instead. Repeatable."),
    ] = None,
    keys: Annotated[
        Path | None, typer.Option("--keys", metavar="DIR", help="With --config: a folder of public keys.")
    ] = None,
    access_log: Annotated[
        list[Path] | None,
        typer.Option(
            "--access-log", metavar="FILE", help="Read from a standard access log how links are signed. Repeatable."
        ),
    ] = None,
    logs: Annotated[
        list[str] | None,
        typer.Option(
            "--logs",
            metavar="SOURCE",
            help="Access logs (a folder, or s3://BUCKET/PREFIX): report keys that are trusted and were not used, and "
            "keys that are used and not trusted any more. Repeatable.",
        ),
    ] = None,
    max_key_age: Annotated[
        int, typer.Option("--max-key-age", metavar="DAYS", min=1, help="Report keys that are older.")
    ] = 365,
    policies_carry_ip: Annotated[
        bool, typer.Option("--policies-carry-ip", help="Your policies restrict addresses, so report IPv6.")
    ] = False,
    private_word: Annotated[
        list[str] | None,
        typer.Option("--private-word", metavar="WORD", help="Treat paths with this word as private. Repeatable."),
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option("--ignore", metavar="ID[:RESOURCE]", help="Leave out a finding. Repeatable.")
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(
            "--baseline",
            metavar="FILE",
            help="Leave out the findings in FILE: one ID[:RESOURCE] per line, # for comments.",
        ),
    ] = None,
    fail_on: Annotated[
        _Level | None,
        typer.Option(
            "--fail-on",
            metavar="LEVEL",
            help="Exit with 1 if a finding has this level or a higher one: info … critical.",
        ),
    ] = None,
    sarif: Annotated[bool, typer.Option("--sarif", help="Print SARIF 2.1.0, for code scanning.")] = False,
    artifact: Annotated[
        str, typer.Option("--artifact", metavar="URI", help="The file that SARIF names, relative to the repository.")
    ] = "main.tf",
    fix_plan: Annotated[
        Literal["cli", "terraform"] | None,
        typer.Option(
            "--fix-plan",
            case_sensitive=False,
            help="Print the fixes in a safe order: as a shell script with the AWS CLI and jq, or as Terraform. It runs "
            "nothing.",
        ),
    ] = None,
    graph: Annotated[
        Path | None, typer.Option("--graph", metavar="FILE", help="Draw what trusts which keys, into FILE (SVG).")
    ] = None,
    *,
    connection: Connection,
    as_json: AsJson = False,
) -> None:
    """Report what is wrong with the account's private content, and how to fix it. Changes nothing.

    The report is grouped by distribution, most urgent first.

    Without permission to read something, the report says "not checked" and names the missing IAM action. Values of
    secrets are never read.

    \b
    Example:
      keyfront audit --fail-on high --graph trust.svg
      keyfront audit --fix-plan cli > fixes.sh
    """
    from datetime import UTC, datetime

    from keyfront.account.audit import Settings, Severity, judge
    from keyfront.account.audit.access_logs import read_logs

    if as_json + sarif + bool(fix_plan) > 1:
        raise InputError("--json, --sarif and --fix-plan are different outputs: give one of them")
    settings = Settings(
        datetime.now(UTC), max_key_age, policies_carry_ip, frozenset(word.lower() for word in private_word or ())
    )
    log = read_logs(access_log) if access_log else None
    if config:
        account, notes = _saved(config, keys, settings, log)
    else:
        account, notes = _live(settings, log, connection)
    if logs:
        account = replace(account, key_log=_key_log(logs, account, connection))
    report = judge(account, notes, _ignored(ignore or [], baseline))
    if graph:
        from keyfront.account.audit.graph import draw

        try:
            graph.write_text(draw(account.inventory, report.findings), "utf-8")
        except OSError as error:
            raise InputError(f"cannot write {str(graph)!r}: {error.strerror}") from None
    if fix_plan:
        from keyfront.account.audit.fix_plan import shell_script, terraform

        show((shell_script if fix_plan == "cli" else terraform)(report, account).rstrip("\n"))
    elif sarif:
        from keyfront.account.audit.sarif import sarif as as_sarif

        show_json(as_sarif(report, artifact=artifact))  # type: ignore[arg-type]
    elif as_json:
        from keyfront.account.audit.grouping import distributions_of

        show_json({
            "findings": [
                _told(each) | {"distributions": list(distributions_of(each, account.inventory))}
                for each in report.findings
            ],
            "not_checked": [{"what": each.what, "needs": each.needs} for each in report.not_checked],
            "ignored": report.ignored,
        })  # fmt: skip
    else:
        _print(report, account)
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
    from keyfront.cli.cloudfront import any_service, cloudfront

    with cloudfront(connection) as service:
        return read_account(service, any_service(connection), settings, log)


def _key_log(sources: list[str], account: "Evidence", connection: Connection) -> "KeyLog":
    with needs("logs"):
        from keyfront.account.audit.key_log import key_log
        from keyfront.account.logs.analysis import Options, read_logs
    from keyfront.cli.logs import s3

    now = int(account.settings.now.timestamp())
    with read_logs(sources, "keys", Options(), now=now, account=account.inventory, s3=lambda: s3(connection)) as logs:
        return key_log(logs)


def _ignored(given: list[str], baseline: Path | None) -> list[str]:
    from keyfront.account.audit.checks import RULES

    lines = [*given]
    if baseline:
        try:
            text = baseline.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"cannot read the baseline {str(baseline)!r}: {error}") from None
        lines += [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    known = {rule.id for rule in RULES}
    for line in lines:
        if line.partition(":")[0] not in known:
            raise InputError(f"there is no finding {line.partition(':')[0]!r}: use one of {', '.join(sorted(known))}")
    return lines


def _told(finding: "Finding") -> dict[str, Any]:
    return {
        "id": finding.rule.id,
        "severity": str(finding.severity),
        "title": finding.rule.title,
        "resource": finding.resource,
        "evidence": finding.evidence,
        "why": finding.rule.why,
        "fix": finding.fix,
        **({"example": finding.example} if finding.example else {}),
    }


def _print(report: "Report", account: "Evidence") -> None:
    try:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text
    except ModuleNotFoundError:
        raise KeyfrontError(f"this command needs rich: {install('cli,aws')}") from None

    from keyfront.account.audit.grouping import by_distribution

    console = Console(highlight=False)
    for distribution, findings in by_distribution(report.findings, account.inventory):
        title = "The account" if distribution is None else _title(distribution)
        table = Table(show_lines=True, title=Text(title, style="bold"), title_justify="left")
        table.add_column("severity", no_wrap=True)
        table.add_column("finding", overflow="fold", ratio=1)
        for each in findings:
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


def _title(distribution: "Distribution") -> str:
    names = ", ".join(distribution.aliases[:3] or (distribution.domain_name,))
    about = f"Distribution {distribution.id}  {names}" + (f"  {distribution.comment}" if distribution.comment else "")
    return "".join(each if each.isprintable() else " " for each in about)


def register(app: typer.Typer) -> None:
    """Add `keyfront audit` to the application."""
    app.command()(audit)
