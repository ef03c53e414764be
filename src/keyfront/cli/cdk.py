"""`keyfront cdk`: send the CDK to the laptop."""

from typing import Annotated

import typer

from keyfront.cli.options import AsJson
from keyfront.cli.output import warn
from keyfront.cli.terraform import ENDPOINT, EndpointURL, Shell


def _cdk() -> None:
    """Send the CDK to this machine."""


_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, callback=_cdk)


@_app.command()
def env(
    endpoint_url: EndpointURL = ENDPOINT,
    region: Annotated[str, typer.Option("--region", metavar="NAME", help="The region for the CDK.")] = "us-east-1",
    shell: Shell = "sh",
    as_json: AsJson = False,
) -> None:
    """Print variables to export that send the CDK, SAM and the AWS CLI to this machine instead of Amazon.

    The credentials belong to no account, so Amazon refuses a request that reaches it by mistake. A new terminal uses
    Amazon again.

    \b
    Example:
      eval "$(keyfront cdk env)"
      cdk bootstrap aws://123456789012/us-east-1
      cdk deploy
    """
    from keyfront.cli import laptop

    endpoint = laptop.endpoint(endpoint_url)
    if endpoint.is_name:
        warn(f"the CDK looks for bucket B at B.{endpoint.host}, which most systems cannot resolve: give an address")
    laptop.show_environment(endpoint, region, shell, as_json=as_json)


def register(app: typer.Typer) -> None:
    """Add `keyfront cdk` to the application."""
    app.add_typer(_app, name="cdk", help="Send the CDK to this machine.")
