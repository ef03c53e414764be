"""Which key groups a cache behavior trusts: a change, its difference, and how other tools make the same change."""

import copy
import difflib
import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from keyfront.errors import InputError

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

DEFAULT: Final = "*"
"""The path pattern that names the default behavior, unless an ordered behavior has it as well."""

Config = Mapping[str, Any]
"""A `DistributionConfig`, as the API returns it."""


@dataclass(frozen=True, slots=True)
class Change:
    """A distribution's configuration before and after another choice of trusted key groups for one behavior."""

    distribution_id: str
    pattern: str
    groups: tuple[str, ...]
    """The key groups that the behavior will trust. None: requests need no signature."""
    etag: str
    """The ETag of `before`."""
    before: Config
    after: Config

    @property
    def is_none(self) -> bool:
        """Whether the behavior trusts these groups already."""
        return self.before == self.after


def read_config(client: "CloudFrontClient", distribution_id: str) -> tuple[str, Config]:
    """Return a distribution's ETag and configuration."""
    answer = client.get_distribution_config(Id=distribution_id)
    return answer["ETag"], answer["DistributionConfig"]


def patterns(config: Config) -> list[str]:
    """Return the path patterns of a distribution's behaviors in their order. The last is the default behavior."""
    return [*(each["PathPattern"] for each in _ordered(config)), DEFAULT]


def propose(distribution_id: str, etag: str, config: Config, pattern: str, groups: Sequence[str]) -> Change:
    """Return the change after which the behavior for `pattern` trusts exactly `groups` (ids).

    Raises `InputError` for a pattern that no behavior has. Trusted signers (AWS accounts) stay as they are.
    """
    after = copy.deepcopy(dict(config))
    behavior = next((each for each in _ordered(after) if each["PathPattern"] == pattern), None)
    if behavior is None and pattern == DEFAULT:
        behavior = after["DefaultCacheBehavior"]
    if behavior is None:
        raise InputError(
            f"distribution {distribution_id} has no behavior for {pattern!r}: "
            f"choose one of {', '.join(patterns(config))}"
        )
    chosen = tuple(dict.fromkeys(groups))
    behavior["TrustedKeyGroups"] = _trusting(chosen)
    return Change(distribution_id, pattern, chosen, etag, config, after)


def apply(client: "CloudFrontClient", change: Change) -> None:
    """Send the change, if the distribution's ETag is still `change.etag`."""
    after: Any = change.after
    client.update_distribution(Id=change.distribution_id, IfMatch=change.etag, DistributionConfig=after)


def difference(before: Config, after: Config, *, around: int = 3) -> list[str]:
    """Return the lines of a unified difference of two configurations as JSON, without the two lines that name files."""
    lines = difflib.unified_diff(_as_json(before), _as_json(after), lineterm="", n=around)
    return list(lines)[2:]


def keyfront_command(change: Change) -> str:
    """Return the command of keyfront's that makes the change."""
    words = ["keyfront", "groups", "trust", change.distribution_id, change.pattern, *change.groups]
    return shlex.join([*words, *([] if change.groups else ["--open"])])


def aws_commands(change: Change) -> str:
    """Return the commands of the AWS CLI and jq that make the change."""
    id_, trusted = change.distribution_id, json.dumps(_trusting(change.groups))
    pattern = json.dumps(change.pattern)
    target = (
        ".DefaultCacheBehavior"
        if _is_default(change)
        else f"(.CacheBehaviors.Items[] | select(.PathPattern == {pattern}))"
    )
    program = shlex.quote(f".DistributionConfig | {target}.TrustedKeyGroups = {trusted}")
    return (
        f"aws cloudfront get-distribution-config --id {id_} > before.json\n"
        f"jq {program} before.json > after.json\n"
        f'aws cloudfront update-distribution --id {id_} --if-match "$(jq -r .ETag before.json)" \\\n'
        "  --distribution-config file://after.json"
    )


def terraform_lines(change: Change) -> str:
    """Return the lines of an `aws_cloudfront_distribution` that say the same."""
    trusted = f"trusted_key_groups = {json.dumps(list(change.groups))}"
    if _is_default(change):
        return f"default_cache_behavior {{\n  # …\n  {trusted}\n}}"
    pattern = json.dumps(change.pattern).replace("${", "$${").replace("%{", "%%{")
    return f"ordered_cache_behavior {{\n  path_pattern = {pattern}\n  # …\n  {trusted}\n}}"


def _is_default(change: Change) -> bool:
    return change.pattern not in [each["PathPattern"] for each in _ordered(change.before)]


def _ordered(config: Config) -> Sequence[Any]:
    found: Sequence[Any] = (config.get("CacheBehaviors") or {}).get("Items") or ()
    return found


def _trusting(groups: Sequence[str]) -> dict[str, object]:
    return {"Enabled": bool(groups), "Quantity": len(groups), **({"Items": list(groups)} if groups else {})}


def _as_json(config: Config) -> list[str]:
    return json.dumps(config, indent=2, sort_keys=True, default=str).splitlines()
