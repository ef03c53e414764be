"""`keyfront lambda`: package keyfront's functions for Lambda."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from keyfront.cli.options import AsJson
from keyfront.cli.output import say, show, show_json, warn

_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@_app.command()
def package(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The zip file to write.")] = Path("function.zip"),
    function: Annotated[
        Literal["download", "rotation"],
        typer.Option("--function", help="Which function. rotation: Secrets Manager calls it to replace a signing key."),
    ] = "download",
    architecture: Annotated[
        Literal["x86_64", "arm64"], typer.Option("--arch", help="The function's architecture, not this machine's.")
    ] = "x86_64",
    python: Annotated[
        Literal["3.11", "3.12", "3.13", "3.14"], typer.Option("--python", help="The function's runtime.")
    ] = "3.12",
    extras: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            metavar="NAME",
            help="Where purchases are stored. postgresql adds its driver; Lambda has dynamodb's. Repeatable.",
        ),
    ] = None,
    includes: Annotated[
        list[Path] | None,
        typer.Option(
            "--include", metavar="FILE", help="Your own module or folder, for the top of the package. Repeatable."
        ),
    ] = None,
    bytecode: Annotated[
        bool,
        typer.Option(
            "--bytecode",
            help="Compile the modules, so that the function starts sooner. Needs a Python of the runtime's version.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write a function's package.

    The download function's handler is keyfront.backend.aws_lambda.handler, the rotation function's
    keyfront.account.rotation.secrets_manager.handler.

    pip fetches the wheels for Lambda's platform, with your pip configuration and the hashes that this version of
    keyfront was tested with. The same versions give the same file, byte for byte.

    \b
    Example:
      keyfront lambda package --out function.zip --arch arm64 --include sales.py
      keyfront lambda package --out rotation.zip --function rotation
    """
    # Imported here, because no other command needs zip files and subprocesses.
    import platform

    from keyfront.packaging import ARCHITECTURES, FUNCTIONS, Plan, build

    plan = Plan(architecture, python, tuple(extras or ()), tuple(includes or ()), bytecode, function)
    if not as_json:
        say(f"fetching wheels for Python {python} on {architecture} …")
    built = build(plan, out)
    if as_json:
        show_json(
            {
                "path": str(built.path),
                "handler": FUNCTIONS[function],
                "architecture": architecture,
                "runtime": f"python{python}",
                "bytes": built.size,
                "unzipped_bytes": built.unzipped,
                "files": built.files,
                "sha256": built.sha256,
                "code_sha256": built.code_sha256,
            }
        )
        return
    show(f"{built.path}: {built.size / 1e6:.1f} MB, {built.unzipped / 1e6:.1f} MB unzipped, {built.files} files")
    show(f"handler {FUNCTIONS[function]}, runtime python{python}, architecture {architecture}")
    show(f"sha256 {built.sha256}")
    here = platform.machine()
    if here in ARCHITECTURES.values() and here != ARCHITECTURES[architecture]:
        warn(f"this machine is {here}: the laptop's Lambda cannot run a package for {architecture}")


def register(app: typer.Typer) -> None:
    """Add `keyfront lambda` to the application."""
    app.add_typer(_app, name="lambda", help="Package the functions for AWS Lambda.")
