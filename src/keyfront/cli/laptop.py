"""Send Terraform, the CDK and others to this machine, with environment variables or a provider block."""

import os
import re
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from keyfront.cli.output import Json, say, show, show_json
from keyfront.errors import InputError

_CREDENTIALS: Final = "test"
_CONNECT_SECONDS: Final = 1.0

# These variables, set for work in an account, would bypass the endpoint or make the provider refuse it.
_IN_THE_WAY: Final = {
    *("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"),
    *("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"),
}

# The endpoint's services, by their names in the AWS provider 5.x.
_SERVICES: Final = """
acm acmpca apigateway apigatewayv2 appautoscaling appconfig appsync athena autoscaling backup batch budgets
cloudformation cloudfront cloudtrail cloudwatch codebuild codecommit codedeploy codepipeline cognitoidentity
cognitoidp configservice datasync dms ds dynamodb ec2 ecr ecs efs eks elasticache elasticbeanstalk elb elbv2 emr
events firehose fsx glacier glue guardduty iam inspector2 iot kafka kinesis kms lakeformation lambda logs macie2
mediaconnect medialive mediapackage mq networkfirewall networkmanager opensearch organizations pipes quicksight ram
rds redshift resourcegroups resourcegroupstaggingapi route53 route53domains route53resolver s3 s3control sagemaker
scheduler secretsmanager securityhub servicecatalog servicediscovery servicequotas ses sesv2 sfn shield signer sns sqs
ssm ssoadmin sts swf synthetics transfer wafv2 workspaces xray
"""

_PROVIDER: Final = """\
# Sends this configuration to `keyfront up`. Delete the file to go to Amazon.
provider "aws" {{
  region                      = "{region}"
  access_key                  = "{key}"
  secret_key                  = "{key}"
  s3_use_path_style           = true
  skip_credentials_validation = true
  skip_metadata_api_check     = true

  endpoints {{
{endpoints}
  }}
}}
"""

_EXPORT: Final = {"sh": "export {}={}", "fish": "set -gx {} {}", "powershell": "$env:{} = {}"}
_UNSET: Final = {
    "sh": "unset {}",
    "fish": "set -e {}",
    "powershell": "Remove-Item Env:{} -ErrorAction SilentlyContinue",
}


@dataclass(frozen=True)
class Endpoint:
    """The address of an AWS endpoint. `url` has no slash at the end."""

    url: str
    host: str
    port: int

    @property
    def is_name(self) -> bool:
        """Return whether the host is a name. SDKs put a bucket's name before a host name, but after an address."""
        try:
            ip_address(self.host)
        except ValueError:
            return True
        return False

    def __str__(self) -> str:
        return self.url


def endpoint(url: str) -> Endpoint:
    """Read an endpoint's URL. `localhost` becomes 127.0.0.1, because few programs resolve `bucket.localhost`.

    Raises `InputError` for anything but http(s)://HOST[:PORT].
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    sane = re.fullmatch(r"[A-Za-z0-9.:\-_/\[\]]*", url)
    extra = parts.path not in ("", "/") or "?" in url or "#" in url or "@" in url
    if parts.scheme not in ("http", "https") or not host or extra or not sane:
        raise InputError(f"{url!r} is not an endpoint: give http://HOST:PORT, such as http://127.0.0.1:4566")
    if host == "localhost":
        host = "127.0.0.1"
    shown = f"[{host}]" if ":" in host else host
    at = f":{port}" if port is not None else ""
    return Endpoint(f"{parts.scheme}://{shown}{at}", host, port or (443 if parts.scheme == "https" else 80))


def show_environment(endpoint: Endpoint, region: str, shell: str, *, as_json: bool) -> None:
    """Print the variables that send programs to the endpoint, for a shell or as JSON."""
    tell_if_silent(endpoint)
    exported, removed = variables(endpoint, region), in_the_way(os.environ)
    if as_json:
        show_json({"environment": dict[str, Json](exported), "unset": removed})
        return
    for line in commands(shell, exported, removed):
        show(line)


def tell_if_silent(endpoint: Endpoint) -> None:
    """Tell the user if nothing answers at the endpoint."""
    if not answers(endpoint):
        say(f"Nothing answers at {endpoint}. Start it with: keyfront up --addressing port")


def answers(endpoint: Endpoint) -> bool:
    """Return whether the endpoint accepts connections. Blocks for at most a second."""
    try:
        socket.create_connection((endpoint.host, endpoint.port), timeout=_CONNECT_SECONDS).close()
    except OSError:
        return False
    return True


def variables(endpoint: Endpoint, region: str) -> dict[str, str]:
    """Return the environment variables for the AWS provider, the AWS CLI and boto3."""
    _check_region(region)
    return {
        "AWS_ENDPOINT_URL": endpoint.url,
        "AWS_ACCESS_KEY_ID": _CREDENTIALS,
        "AWS_SECRET_ACCESS_KEY": _CREDENTIALS,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def in_the_way(environment: Mapping[str, str]) -> list[str]:
    """Return the variables to unset, because they would send a service elsewhere (`AWS_ENDPOINT_URL_S3`)."""
    return sorted(
        name for name in environment if name in _IN_THE_WAY or re.fullmatch("AWS_ENDPOINT_URL_[A-Z0-9_]+", name)
    )


def commands(shell: str, exported: Mapping[str, str], removed: list[str]) -> Iterator[str]:
    """Yield the lines for `shell` (sh, fish, powershell) that set and unset variables."""
    for name in removed:
        yield _UNSET[shell].format(name)
    for name, value in exported.items():
        yield _EXPORT[shell].format(name, f"'{value}'" if shell == "powershell" else value)


def provider_block(endpoint: Endpoint, region: str) -> str:
    """Return a file that overrides the configuration's `provider "aws"` block, or adds one if there is none."""
    _check_region(region)
    services = _SERVICES.split()
    width = max(map(len, services))
    endpoints = "\n".join(f'    {name.ljust(width)} = "{endpoint.url}"' for name in services)
    return _PROVIDER.format(region=region, key=_CREDENTIALS, endpoints=endpoints)


def _check_region(region: str) -> None:
    if not re.fullmatch(r"[a-z]{2,}(-[a-z]+)+-\d", region):
        raise InputError(f"{region!r} is not a region: give a name such as us-east-1")
