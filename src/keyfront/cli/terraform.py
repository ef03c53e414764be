"""`keyfront terraform`: send Terraform to the laptop, and print the IAM policy for deploying."""

import re
from pathlib import Path
from typing import Annotated, Literal

import typer

from keyfront.cli.options import AsJson
from keyfront.cli.output import show, show_json, warn

_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

ENDPOINT = "http://127.0.0.1:4566"
EndpointURL = Annotated[str, typer.Option("--endpoint-url", metavar="URL", help="The AWS endpoint of `keyfront up`.")]
Shell = Annotated[
    Literal["sh", "fish", "powershell"],
    typer.Option("--shell", case_sensitive=False, help="The shell to write for; sh is also for bash and zsh."),
]


@_app.command()
def env(
    endpoint_url: EndpointURL = ENDPOINT,
    region: Annotated[str, typer.Option("--region", metavar="NAME", help="The region for Terraform.")] = ("us-east-1"),
    shell: Shell = "sh",
    provider: Annotated[
        bool,
        typer.Option(
            "--provider",
            help="Print a provider block instead of variables. Save it as keyfront_override.tf next to a "
            "configuration. Use it if the endpoint's host is a name, or if you cannot set variables.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print variables to export, or a provider block, that send Terraform to this machine instead of Amazon.

    Any configuration with hashicorp/aws 5 follows the variables, and so do the AWS CLI and boto3. The credentials
    belong to no account, so Amazon refuses a request that reaches it by mistake. A new terminal uses Amazon again.

    \b
    Examples:
      eval "$(keyfront terraform env)"
      keyfront terraform env --shell fish | source
      keyfront terraform env --provider > keyfront_override.tf
    """
    from keyfront.cli import laptop

    endpoint = laptop.endpoint(endpoint_url)
    if provider:
        laptop.tell_if_silent(endpoint)
        text = laptop.provider_block(endpoint, region)
        show_json({"provider": text}) if as_json else show(text.rstrip("\n"))
        return
    if endpoint.is_name:
        warn(f"Terraform looks for bucket B at B.{endpoint.host}, which most systems cannot resolve: add --provider")
    laptop.show_environment(endpoint, region, shell, as_json=as_json)


@_app.command("deployer-policy")
def deployer_policy(
    account: Annotated[str, typer.Option("--account", metavar="ID", help="The account's twelve digits.")],
    prefix: Annotated[
        str,
        typer.Option(
            "--prefix", metavar="NAME", help="The prefix of the names of buckets, functions, roles and parameters."
        ),
    ],
    region: Annotated[
        str, typer.Option("--region", metavar="NAME", help="The only region that the policy allows.")
    ] = "us-east-1",
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write the policy to this file instead of standard output."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print the IAM policy with exactly the permissions to apply keyfront's Terraform modules.

    The output is JSON, with or without --json. No step needs the account's root user.

    \b
    Example:
      keyfront terraform deployer-policy --account 123456789012 --prefix shop --out deployer.json
      aws iam create-policy --policy-name shop-deployer --policy-document file://deployer.json
    """
    del as_json
    import json

    from keyfront.cli import deployer
    from keyfront.errors import InputError

    document = deployer.policy(account, prefix, region)
    if out is None:
        show_json(document)
        return
    try:
        out.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write {out}: {error.strerror}") from None


@_app.command()
def modules(
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="The folder for the modules; existing ones are kept.")
    ] = Path("modules"),
    as_json: AsJson = False,
) -> None:
    """Copy keyfront's Terraform modules next to your configuration.

    \b
    Example:
      keyfront terraform modules --out modules
    """
    from keyfront.cli.modules import copy

    made = copy(out)
    if as_json:
        show_json({"modules": [str(folder) for folder in made]})
        return
    for folder in made:
        show(f"{folder}: {_title(folder)}")


def _title(module: Path) -> str:
    """Return the first sentence of a module's README."""
    text = (module / "README.md").read_text("utf-8")
    paragraph = next(part for part in text.split("\n\n") if part.strip() and not part.startswith("#"))
    without_links = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", " ".join(paragraph.split()))
    return without_links.partition(". ")[0].rstrip(".")


def register(app: typer.Typer) -> None:
    """Add `keyfront terraform` to the application."""
    app.add_typer(_app, name="terraform", help="Send Terraform to this machine, or print the IAM policy for deploying.")
