"""Changes of a behavior's trusted key groups: what is sent, and what other tools would send."""

import json
import shlex
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyfront.account import trusted_groups
from keyfront.errors import InputError

_OPEN = {"Enabled": False, "Quantity": 0}


def _config(*patterns: str) -> dict[str, Any]:
    items = [{"PathPattern": each, "TargetOriginId": "o", "TrustedKeyGroups": _OPEN} for each in patterns]
    return {
        "DefaultCacheBehavior": {"TargetOriginId": "o", "TrustedKeyGroups": _OPEN},
        "CacheBehaviors": {"Quantity": len(items), "Items": items},
    }


def test_a_behavior_is_protected_and_nothing_else_changes() -> None:
    config = _config("/private/*", "/open/*")
    change = trusted_groups.propose("E1", "ETAG", config, "/private/*", ["g1", "g2", "g1"])
    trusting = {"Enabled": True, "Quantity": 2, "Items": ["g1", "g2"]}
    assert change.after["CacheBehaviors"]["Items"][0]["TrustedKeyGroups"] == trusting
    assert change.after["CacheBehaviors"]["Items"][1] == config["CacheBehaviors"]["Items"][1]
    assert change.after["DefaultCacheBehavior"] == config["DefaultCacheBehavior"]
    assert config == _config("/private/*", "/open/*")
    signs = {line[0] for line in trusted_groups.difference(change.before, change.after)}
    assert signs == {"@", " ", "+", "-"}


def test_the_default_behavior_is_named_by_a_star_and_can_be_opened() -> None:
    config = _config()
    config["DefaultCacheBehavior"]["TrustedKeyGroups"] = {"Enabled": True, "Quantity": 1, "Items": ["g1"]}
    change = trusted_groups.propose("E1", "ETAG", config, "*", [])
    assert change.after["DefaultCacheBehavior"]["TrustedKeyGroups"] == _OPEN
    assert not change.is_none
    assert trusted_groups.propose("E1", "ETAG", change.after, "*", []).is_none
    assert trusted_groups.keyfront_command(change) == "keyfront groups trust E1 '*' --open"
    assert "default_cache_behavior" in trusted_groups.terraform_lines(change)
    assert ".DefaultCacheBehavior.TrustedKeyGroups" in trusted_groups.aws_commands(change)


def test_a_pattern_that_no_behavior_has_is_an_error_that_lists_them() -> None:
    with pytest.raises(InputError, match=r"no behavior for '/x': choose one of /a, \*"):
        trusted_groups.propose("E1", "ETAG", _config("/a"), "/x", ["g"])


@given(st.text(min_size=1, max_size=30))
def test_commands_quote_any_pattern(pattern: str) -> None:
    change = trusted_groups.propose("E1", "ETAG", _config(pattern), pattern, ["g"])
    assert shlex.split(trusted_groups.keyfront_command(change))[4] == pattern
    program = shlex.split(trusted_groups.aws_commands(change).splitlines()[1])[1] if "\n" not in pattern else ""
    assert not program or json.dumps(pattern) in program
