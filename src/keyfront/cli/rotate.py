"""`keyfront rotate`: replace a signing key while links are signed and used."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from keyfront.cli.extras import needs
from keyfront.cli.options import AsJson, Connection, connects
from keyfront.cli.output import say, show, show_json, warn
from keyfront.cli.rotation_output import Watch, clock, document, lines, tell
from keyfront.cli.times import span
from keyfront.errors import InputError

if TYPE_CHECKING:
    from keyfront.account.rotation import Rotation
    from keyfront.account.rotation.key_uses import KeyUses
    from keyfront.core.keys import PublicKey

IN_PROGRESS: Final = 3
"""The exit status of a rotation that must be continued later."""

_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

_Group = Annotated[
    str,
    typer.Option("--group", metavar="GROUP", envvar="KEYFRONT_GROUP", help="The key group's id or its name."),
]
_Waiting = Annotated[
    bool, typer.Option("--wait", help="Wait until the rotation is done, instead of exiting with status 3.")
]


@_app.command()
@connects
def start(
    group: _Group,
    signer: Annotated[
        str,
        typer.Option(
            "--signer",
            metavar="ADDRESS",
            help="The address of the signers' document, such as ssm:/NAME, secretsmanager:NAME or file:PATH.",
        ),
    ],
    grace: Annotated[
        str,
        typer.Option(
            "--grace",
            metavar="SPAN",
            help="How long the old key stays trusted after the switch: at least the longest lifetime of a link.",
        ),
    ] = "24h",
    longest_life: Annotated[
        str | None,
        typer.Option(
            "--longest-life",
            metavar="SPAN",
            help="The longest lifetime of a link, to check --grace. Default: the environment's LINK_SECONDS.",
        ),
    ] = None,
    propagation: Annotated[
        str,
        typer.Option(
            "--propagation", metavar="SPAN", help="How long a changed group may take to reach every edge location."
        ),
    ] = "5m",
    signer_ttl: Annotated[
        str,
        typer.Option(
            "--signer-ttl",
            metavar="SPAN",
            help="How long a signer may keep using a replaced document: twice its time to live.",
        ),
    ] = "10m",
    key_type: Annotated[
        Literal["rsa", "ecdsa"] | None, typer.Option("--key-type", help="The new key's type. Default: the old key's.")
    ] = None,
    kms_key: Annotated[
        str | None,
        typer.Option("--kms-key", metavar="KEY", help="The new key is this KMS key: id, ARN or alias."),
    ] = None,
    hash_name: Annotated[
        Literal["sha1", "sha256"] | None,
        typer.Option("--hash", case_sensitive=False, help="The new hash algorithm. Default: unchanged."),
    ] = None,
    probe_url: Annotated[
        str | None,
        typer.Option(
            "--probe-url",
            metavar="URL",
            help="A protected URL to test the new key with. Default: a path of a distribution that trusts the group; "
            "no file needs to exist there.",
        ),
    ] = None,
    probes: Annotated[
        int, typer.Option("--probes", metavar="N", help="How many requests in a row must be allowed.")
    ] = 20,
    logs: Annotated[
        str | None,
        typer.Option(
            "--logs",
            metavar="SOURCE",
            help="Access logs (a folder, or s3://BUCKET/PREFIX): remove the old key when the last of its links that "
            "they show has expired, and delete it only if nobody misses it. --grace counts if they show no link.",
        ),
    ] = None,
    wait: _Waiting = False,
    *,
    connection: Connection,
    as_json: AsJson = False,
) -> None:
    """Start a rotation, and do every step that is possible now.

    A rotation makes a new key pair, uploads its public key, and adds it to the key group next to the old key. Once the
    edge locations trust the new key, it replaces the signers' document in one write. When the last link of the old key
    has expired, it removes the old key from the group and deletes it. The rotation's state is in the account (SSM
    parameters below /keyfront/rotation), so any machine can continue it.

    \b
    Exit status: 0 done; 1 refused, or another process is working on it; 2 bad input, or a service that could not be
    reached; 3 in progress: run `keyfront rotate continue` later, for example from a scheduler.

    \b
    Examples:
      keyfront rotate start --group shop-signers --signer ssm:/shop/signing-key --grace 1h --wait
      keyfront rotate continue --group shop-signers
    """
    from keyfront.account.rotation import NewKey, Plan

    life = _longest_life(longest_life)
    if logs is not None and not logs.startswith("s3:") and not Path(logs).is_dir():
        raise InputError(f"--logs {logs!r} is not a folder: name one with access logs, or s3://BUCKET/PREFIX")
    with _rotation(group, connection) as (rotation, group_id):
        hashed: Literal["SHA1", "SHA256"] | None = (
            None if hash_name is None else "SHA256" if hash_name == "sha256" else "SHA1"
        )
        plan = Plan(
            group=group_id,
            signer=signer,
            new=NewKey(key_type, kms_key, hashed),
            grace=span(grace, "--grace").total_seconds(),
            propagation=span(propagation, "--propagation").total_seconds(),
            signer_ttl=span(signer_ttl, "--signer-ttl").total_seconds(),
            longest_life=life,
            probe_url=probe_url,
            probes=probes,
            logs=logs,
        )
        if life is None:
            warn(f"links that live longer than --grace {grace} will be refused; give --longest-life to check this")
        state = rotation.start(plan)
        tell(as_json, "begun", f"started {state.id}, which replaces {state.old_id}", state)
        _run(rotation, wait=wait, as_json=as_json)


@_app.command("continue")
@connects
def continue_(
    group: _Group,
    wait: _Waiting = False,
    *,
    connection: Connection,
    as_json: AsJson = False,
) -> None:
    """Continue a rotation with every step that is possible now. Exit status as with `start`."""
    with _rotation(group, connection) as (rotation, _):
        _run(rotation, wait=wait, as_json=as_json)


@_app.command()
@connects
def abort(
    group: _Group,
    wait: _Waiting = False,
    *,
    connection: Connection,
    as_json: AsJson = False,
) -> None:
    """Undo a rotation. Exit status as with `start`.

    Before the signers are switched, this removes the new key. After that, the signers get the old key back, and the new
    key stays trusted until everything that it signed has expired. Once the old key has left the group, it is too late.
    """
    with _rotation(group, connection) as (rotation, _):
        state = rotation.abort()
        tell(as_json, "aborting", f"undoing {state.id}: {state.old_id} stays", state)
        _run(rotation, wait=wait, as_json=as_json)


@_app.command()
@connects
def status(
    group: _Group,
    *,
    connection: Connection,
    as_json: AsJson = False,
) -> None:
    """Show the state of a rotation. Changes nothing. Exit status: 3 while a rotation is in progress, 0 otherwise."""
    with _rotation(group, connection) as (rotation, group_id):
        state = rotation.state()
    if state is None:
        if as_json:
            show_json({"group": group_id, "rotation": None})
        else:
            say(f"No rotation of {group_id} is in progress.")
        return
    if as_json:
        show_json({"group": group_id, "rotation": document(state)})
    else:
        for line in lines(state):
            show(line)
    raise typer.Exit(IN_PROGRESS)


@contextmanager
def _rotation(group: str, connection: Connection) -> "Iterator[tuple[Rotation, str]]":
    from keyfront.account.rotation.opening import open_rotation
    from keyfront.cli.cloudfront import aws, cloudfront

    def logs(source: str, key_id: str, key: "PublicKey | None", since: float) -> "KeyUses":
        return _read_logs(source, key_id, key, since, connection)

    with (
        cloudfront(connection) as client,
        open_rotation(client, lambda service: aws(service, connection), group, read_logs=logs) as (rotation, found),
    ):
        yield rotation, found.id


def _read_logs(source: str, key_id: str, key: "PublicKey | None", since: float, connection: Connection) -> "KeyUses":
    from keyfront.cli.logs import s3

    with needs("logs"):
        from keyfront.account.logs.analysis import Options, read_logs
        from keyfront.account.logs.evidence import evidence
        from keyfront.account.logs.values import Window
    options = Options(Window(since=int(since)), may_be_empty=True)
    with read_logs([source], "refused", options, now=int(time.time()), s3=lambda: s3(connection)) as logs:
        return evidence(logs, key_id, key)


def _run(rotation: "Rotation", *, wait: bool, as_json: bool) -> None:
    from keyfront.account.rotation import Done, Step, Wait

    watch = Watch(quiet=as_json)
    while True:
        match rotation.advance():
            case Step(text):
                watch.step()
                tell(as_json, "step", text, rotation.state())
            case Done(text):
                tell(as_json, "done", text)
                return
            case Wait(text, until):
                if not wait:
                    tell(as_json, "waiting", f"{text}, until {clock(until)}; continue after that", until=until)
                    raise typer.Exit(IN_PROGRESS)
                if as_json:
                    tell(as_json, "waiting", text, until=until)
                watch.wait(rotation, text, until)


def _longest_life(given: str | None) -> float | None:
    if given is not None:
        return span(given, "--longest-life").total_seconds()
    told = os.environ.get("LINK_SECONDS", "").strip()
    if not told:
        return None
    if not told.isdigit():
        raise InputError(f"LINK_SECONDS is {told!r}: set whole seconds, or give --longest-life")
    return float(told)


def register(app: typer.Typer) -> None:
    """Add `keyfront rotate` to the application."""
    app.add_typer(_app, name="rotate", help="Replace a signing key while links are signed and used.")
