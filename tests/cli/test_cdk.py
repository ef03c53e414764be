"""`keyfront cdk env`: variables that send the CDK to the laptop."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

Run = Callable[..., tuple[int, str, str]]


def test_it_prints_the_variables_of_the_laptop(run: Run, service: Any) -> None:
    status, printed, said = run("cdk", "env", "--endpoint-url", service.url, "--json")
    assert (status, said) == (0, "")
    environment = json.loads(printed)["environment"]
    assert environment["AWS_ENDPOINT_URL"] == service.url
    assert environment["AWS_ACCESS_KEY_ID"] == "test"
    status, printed, _ = run("cdk", "env", "--endpoint-url", service.url, "--shell", "fish")
    assert f"set -gx AWS_ENDPOINT_URL {service.url}" in printed


def test_a_name_as_endpoint_is_told(run: Run) -> None:
    _, _, said = run("cdk", "env", "--endpoint-url", "http://laptop.invalid:9")
    assert "the CDK looks for bucket B at B.laptop.invalid" in said
    status, _, said = run("cdk", "env", "--endpoint-url", "laptop")
    assert status == 2
    assert "'laptop' is not an endpoint" in said
