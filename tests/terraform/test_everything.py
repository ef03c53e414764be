"""One configuration with every resource: applied, changed, imported and destroyed by the real Terraform."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from keyfront.core.keys import SigningKey

NO_CHANGES = "No changes. Your infrastructure matches the configuration."
TYPES = [
    "aws_cloudfront_cache_policy",
    "aws_cloudfront_continuous_deployment_policy",
    "aws_cloudfront_distribution",
    "aws_cloudfront_field_level_encryption_config",
    "aws_cloudfront_field_level_encryption_profile",
    "aws_cloudfront_function",
    "aws_cloudfront_key_group",
    "aws_cloudfront_key_value_store",
    "aws_cloudfront_monitoring_subscription",
    "aws_cloudfront_origin_access_control",
    "aws_cloudfront_origin_access_identity",
    "aws_cloudfront_origin_request_policy",
    "aws_cloudfront_public_key",
    "aws_cloudfront_realtime_log_config",
    "aws_cloudfront_response_headers_policy",
    "aws_cloudfront_vpc_origin",
]
READ_LATER = re.compile(r"^ <= data .*?^    \}$", re.MULTILINE | re.DOTALL)
"""A data source in a plan: the resource that it looks up is to be changed first."""
CHANGED = re.compile(r"^ {4,}[~+-] (\S+)", re.MULTILINE)


def test_everything_is_applied_changed_imported_and_destroyed_without_a_difference(
    workspace: Callable[..., Any], account: Callable[[], dict[str, int]]
) -> None:
    keys = {"a": SigningKey.generate("rsa").public_key.pem, "b": SigningKey.generate("ecdsa").public_key.pem}
    terraform, second = workspace("first", "everything", public_keys=keys), "-var=revision=2"

    assert "Resources: 20 added, 0 changed, 0 destroyed" in terraform("apply", "-auto-approve")
    assert terraform.resources() == TYPES
    assert all(found == wanted for found, wanted in terraform.outputs()["found"].values())
    assert NO_CHANGES in terraform("plan", "-detailed-exitcode")
    assert "Resources: 0 added, 19 changed, 0 destroyed" in terraform("apply", "-auto-approve", second)
    assert NO_CHANGES in terraform("plan", "-detailed-exitcode", second)

    imported = workspace("imported", "everything", public_keys=keys)
    blocks = [f"import {{\n  to = {a}\n  id = {json.dumps(i)}\n}}\n" for a, i in terraform.outputs()["ids"].items()]
    (imported.directory / "imports.tf").write_text("\n".join(blocks))
    said = imported("apply", "-auto-approve", second)
    assert "Resources: 20 imported, 0 added, 4 changed, 0 destroyed" in said
    # These two are the provider's own: they are in no API, so that no import can find them.
    planned = READ_LATER.sub("", said.partition("Changes to Outputs:")[0])
    assert set(CHANGED.findall(planned)) == {"wait_for_deployment", "publish"}
    assert NO_CHANGES in imported("plan", "-detailed-exitcode", second)

    assert "Resources: 20 destroyed" in imported("destroy", "-auto-approve", second)
    assert account() == {}


def test_a_public_key_without_a_line_end_is_to_be_replaced_for_ever(workspace: Callable[..., Any]) -> None:
    # The provider's issues 40295 and 47204. The module `trusted-key-group` ignores the change.
    terraform = workspace("bare", "bare_key", public_key=SigningKey.generate("ecdsa").public_key.pem)
    terraform("apply", "-auto-approve")
    said = terraform("plan", "-detailed-exitcode", expect=2)
    assert "aws_cloudfront_public_key.bare must be replaced" in said
    assert "Plan: 1 to add, 0 to change, 1 to destroy." in said
