"""Failures that leave a stack as it is, and the operations that take it back or end an update."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.local.cloudformation.test_stacks import _key, _parameter, _text

from keyfront.local.cloudformation.kinds.kind import Task
from keyfront.local.cloudformation.kinds.storing import ParameterKind
from keyfront.local.cloudformation.stack import Made

pytestmark = pytest.mark.large
_WRONG = {**_key("no key"), "DependsOn": "P"}


def _log(days: int) -> dict[str, Any]:
    return {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "log", "RetentionInDays": days}}


def _status(stacks: Any) -> str:
    return str(stacks.describe_stacks(StackName="s")["Stacks"][0]["StackStatus"])


def _names(laptop: Any) -> set[str]:
    return {each["Name"] for each in laptop.client("ssm").describe_parameters()["Parameters"]}


def test_a_creation_that_failed_is_rolled_back_later(laptop: Any, stacks: Any, told: Callable[..., list[str]]) -> None:
    failing = _text({"P": _parameter(), "Key": _WRONG})
    stacks.create_stack(StackName="s", TemplateBody=failing, DisableRollback=True)
    assert (_status(stacks), _names(laptop)) == ("CREATE_FAILED", {"/p"})
    stacks.rollback_stack(StackName="s")
    assert (_status(stacks), _names(laptop)) == ("ROLLBACK_COMPLETE", set())
    assert told("s", "ROLLBACK_IN_PROGRESS") == ["ROLLBACK_IN_PROGRESS s User Initiated"]
    with pytest.raises(ClientError, match="cannot be called on stack s in ROLLBACK_COMPLETE state"):
        stacks.rollback_stack(StackName="s")


def test_an_update_that_failed_is_rolled_back_or_repaired(laptop: Any, stacks: Any) -> None:
    ssm = laptop.client("ssm")
    stacks.create_stack(StackName="s", TemplateBody=_text({"P": _parameter(), "Q": _parameter(name="/q")}))
    failing = _text(
        {"P": _parameter(name="/new"), "Q": _parameter("new", "/q"), "Key": {**_key("no"), "DependsOn": "Q"}}
    )
    for _ in range(2):
        # The second one fails as well, and the stack still goes back to where it was before the first.
        stacks.update_stack(StackName="s", TemplateBody=failing, DisableRollback=True)
        assert (_status(stacks), _names(laptop)) == ("UPDATE_FAILED", {"/p", "/new", "/q"})
    stacks.rollback_stack(StackName="s")
    assert (_status(stacks), _names(laptop)) == ("UPDATE_ROLLBACK_COMPLETE", {"/p", "/q"})
    assert ssm.get_parameter(Name="/q")["Parameter"]["Value"] == "x"

    stacks.update_stack(StackName="s", TemplateBody=failing, DisableRollback=True)
    stacks.update_stack(StackName="s", TemplateBody=_text({"P": _parameter(name="/new"), "Q": _parameter("new", "/q")}))
    assert (_status(stacks), _names(laptop)) == ("UPDATE_COMPLETE", {"/new", "/q"}), "what was replaced is gone"
    assert ssm.get_parameter(Name="/q")["Parameter"]["Value"] == "new"


def test_a_rollback_that_failed_goes_on_without_a_resource(laptop: Any, stacks: Any) -> None:
    stacks.create_stack(StackName="s", TemplateBody=_text({"P": _parameter(), "Log": _log(7)}))
    changed = {"P": _parameter("new"), "Log": _log(14), "Key": {**_key("no"), "DependsOn": ["P", "Log"]}}
    stacks.update_stack(StackName="s", TemplateBody=_text(changed), DisableRollback=True)
    laptop.client("logs").delete_log_group(logGroupName="log")
    stacks.rollback_stack(StackName="s")
    assert _status(stacks) == "UPDATE_ROLLBACK_FAILED"
    with pytest.raises(ClientError, match=r"\[No\] do not exist"):
        stacks.continue_update_rollback(StackName="s", ResourcesToSkip=["No"])
    stacks.continue_update_rollback(StackName="s", ResourcesToSkip=["Log"])
    assert _status(stacks) == "UPDATE_ROLLBACK_COMPLETE"
    assert laptop.client("ssm").get_parameter(Name="/p")["Parameter"]["Value"] == "x"


def test_an_update_is_cancelled_before_its_next_resource(
    laptop: Any, stacks: Any, told: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    second = {**_parameter(name="/q"), "DependsOn": "P"}
    stacks.create_stack(StackName="s", TemplateBody=_text({"P": _parameter(), "Q": second}))
    with pytest.raises(ClientError, match="cannot be called from current stack status"):
        stacks.cancel_update_stack(StackName="s")
    begun, go_on, update = threading.Event(), threading.Event(), ParameterKind.update

    def waiting(self: ParameterKind, task: Task, before: Mapping[str, Any], made: Made) -> Made:
        begun.set()
        assert go_on.wait(60)
        return update(self, task, before, made)

    monkeypatch.setattr(ParameterKind, "update", waiting)
    changed = _text({"P": _parameter("new"), "Q": {**_parameter("new", "/q"), "DependsOn": "P"}})
    client = laptop.client("cloudformation")
    updating = threading.Thread(target=lambda: client.update_stack(StackName="s", TemplateBody=changed))
    updating.start()
    try:
        assert begun.wait(60)
        laptop.client("cloudformation").cancel_update_stack(StackName="s")
    finally:
        go_on.set()
        updating.join()
    stacks.get_waiter("stack_rollback_complete").wait(StackName="s", WaiterConfig={"Delay": 1})
    assert _status(stacks) == "UPDATE_ROLLBACK_COMPLETE"
    assert not [each for each in told("s") if each.startswith("UPDATE") and " Q" in each]
    assert laptop.client("ssm").get_parameter(Name="/p")["Parameter"]["Value"] == "x"
