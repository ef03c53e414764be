"""`keyfront functions`: run a CloudFront function on an event, once or whenever its file changes."""

import difflib
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from keyfront.cli.cloudfront import cloudfront
from keyfront.cli.extras import needs
from keyfront.cli.options import AsJson, Connection, expands
from keyfront.cli.output import Json, printable, say, show, show_json
from keyfront.errors import InputError, KeyfrontError

if TYPE_CHECKING:
    from keyfront.edge.functions.trial import TrialResult

_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

_LOOK_SECONDS: Final = 0.3
_COLOURS: Final = {"+": "green", "-": "red", "@": "cyan"}

File = Annotated[Path, typer.Argument(metavar="FILE", help="The function's JavaScript file.")]
Event = Annotated[
    Path | None,
    typer.Option("--event", metavar="FILE", help="The event, as JSON. Default: a GET of / by a viewer (see --uri)."),
]
Uri = Annotated[str, typer.Option("--uri", metavar="PATH", help="The path in the default event.")]
Runtime = Annotated[Literal["1.0", "2.0"], typer.Option("--runtime", help="The version of cloudfront-js.")]


@_app.command("test")
def try_out(
    file: File,
    event: Event = None,
    uri: Uri = "/",
    runtime: Runtime = "2.0",
    pairs: Annotated[
        Path | None,
        typer.Option(
            "--pairs", metavar="FILE", help="The key value store: a JSON object of strings, or the import file."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run a function on an event here, without a distribution.

    The output has the changes that the function made, its log and its time. The result is checked as an edge checks it:
    a read-only header that was changed is found here, and not only after the publication.

    Exit status: 0 it ran; 1 viewers would get an error (502 or 503); 2 bad input.

    \b
    Example:
      keyfront functions test rewrite.js --uri /docs/
    """
    with needs("cli,local"):
        from keyfront.edge.functions.trial import Trial
    given = _event(event, uri)
    with Trial(_code(file), runtime=f"cloudfront-js-{runtime}", pairs=_pairs(pairs)) as trial:
        result = trial.run(given)
    _report(given, result, as_json=as_json)
    if result.error:
        raise typer.Exit(1)


@_app.command()
@expands(connection=Connection)
def watch(
    file: File,
    *,
    distribution: Annotated[str, typer.Option("--distribution", metavar="ID", help="The distribution that runs it.")],
    event: Event = None,
    uri: Uri = "/",
    runtime: Runtime = "2.0",
    name: Annotated[str, typer.Option("--name", help="The function's name. Default: the file's.")] = "",
    behavior: Annotated[
        str,
        typer.Option(
            "--behavior",
            metavar="PATTERN",
            help="The path pattern of the cache behavior. Default: those that run it already, or else the default one.",
        ),
    ] = "",
    key_value_store: Annotated[
        str, typer.Option("--key-value-store", metavar="ARN", help="The key value store that the function reads.")
    ] = "",
    once: Annotated[bool, typer.Option("--once", help="Publish and test once, and do not wait for changes.")] = False,
    connection: Connection,
) -> None:
    """Publish a function whenever its file is saved, and show what it does with an event.

    It creates the function and associates it with the cache behavior if need be. The event's type says where it runs.
    A function that fails on the event is not published. A change of the event's file counts as well. Ctrl-C ends it.

    Give the laptop's address (AWS_ENDPOINT_URL or --endpoint-url). Without it, this publishes to your account at
    Amazon.

    \b
    Example:
      keyfront functions watch rewrite.js --distribution E2QWRUHEXAMPLE --uri /docs/
    """
    with needs("cli,local"):
        import botocore  # noqa: F401  otherwise each save would fail, and the command would go on

        from keyfront.cli.publishing import Publication, publish
        from keyfront.edge.functions.trial import checked_event
    checked_event(_event(event, uri))
    with suppress(KeyboardInterrupt):
        for code in _saved(file, event, once=once):
            try:
                given = _event(event, uri)
                kind = checked_event(given)
                what = Publication(
                    name or file.stem, f"cloudfront-js-{runtime}", distribution, kind, behavior, key_value_store
                )
                with cloudfront(connection) as client:
                    result = publish(client, what, code, given)
            except KeyfrontError as error:
                if once:
                    raise
                say(f"error: {error}")
                continue
            _report(given, result, as_json=False)
            if result.error:
                say(f"{what.name} fails on the event: it is not published")
            else:
                say(f"{what.name} is published, and runs on {kind} of {distribution}")


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.add_typer(_app, name="functions", help="Run CloudFront functions on events, and publish them on each save.")


def _saved(file: Path, event: Path | None, *, once: bool) -> Iterator[str]:
    """Yield the function now, and again whenever its file or the event's was saved. Raises `InputError` at the start.

    Later, a file that cannot be read is awaited: editors replace a file by another one.
    """
    before = _contents(file, event)
    yield before[0]
    while not once:
        time.sleep(_LOOK_SECONDS)
        with suppress(InputError):
            now = _contents(file, event)
            if now != before:
                before = now
                yield now[0]


def _contents(file: Path, event: Path | None) -> tuple[str, str]:
    return _code(file), _code(event) if event else ""


def _code(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file} cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8'}") from None


def _read(file: Path) -> Any:
    try:
        return json.loads(_code(file))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file} is not JSON: {error}") from None


def _event(file: Path | None, uri: str) -> Mapping[str, Any]:
    if file is not None:
        event = _read(file)
        if not isinstance(event, dict):
            raise InputError(f"{file} is not an event: it must be a JSON object with context and request")
        return event
    return {
        "version": "1.0",
        "context": {"eventType": "viewer-request"},
        "viewer": {"ip": "198.51.100.11"},
        "request": {
            "method": "GET",
            "uri": uri,
            "querystring": {},
            "headers": {"host": {"value": "www.example.com"}, "accept": {"value": "*/*"}},
            "cookies": {},
        },
    }


def _pairs(file: Path | None) -> dict[str, str] | None:
    if file is None:
        return None
    found = _read(file)
    try:
        if isinstance(found, dict) and isinstance(found.get("data"), list):
            found = {each["key"]: each["value"] for each in found["data"]}
    except (TypeError, KeyError):
        found = None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise InputError(f'{file} has no pairs: write {{"key": "value"}} or {{"data": [{{"key": "k", "value": "v"}}]}}')
    return found


def _report(event: Mapping[str, Any], result: "TrialResult", *, as_json: bool) -> None:
    if as_json:
        shown: dict[str, Json] = {
            "result": result.value,
            "error": result.error,
            "logs": list(result.logs),
            "compute_utilization": result.utilization,
            "milliseconds": result.milliseconds,
        }
        show_json(shown)
        return
    for line in result.logs:
        show(f"log: {printable(line)}")
    if result.error:
        show(f"error: {printable(result.error)}")
    else:
        for line in _difference(event, result.value):
            show(typer.style(line, fg=_COLOURS.get(line[0])))
    took = f"{result.milliseconds:g} ms, " if result.milliseconds else ""
    show(f"{took}compute utilization {result.utilization} %")


def _difference(event: Mapping[str, Any], value: Mapping[str, Any]) -> list[str]:
    """Return what the function changed, as lines of a difference; the whole value if it made something new."""
    before: Any = event["response"] if "statusCode" in value and "response" in event else event["request"]
    if "statusCode" in value and "response" not in event:
        return [printable(line) for line in ("a response of its own:", *_lines(value))]
    lines = list(difflib.unified_diff(_lines(before), _lines(value), "before", "after", n=2, lineterm=""))
    return [printable(line) for line in lines[2:]] or ["no change"]


def _lines(value: object) -> list[str]:
    return json.dumps(value, indent=2, ensure_ascii=False).splitlines()
