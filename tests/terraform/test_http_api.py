"""HTTP APIs whose stages change, and APIs made in one call: applied, changed and destroyed by the real Terraform."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.mark.xdist_group("terraform")
def test_stages_and_quick_apis_are_changed_without_a_difference(workspace: Callable[..., Any]) -> None:
    terraform = workspace("api", "http_api")
    # The provider makes an API anew when its target changes.
    for revision, said in ((1, "3 added, 0 changed"), (2, "1 added, 1 changed")):
        assert said in terraform("apply", "-auto-approve", f"-var=revision={revision}")
        terraform("plan", "-detailed-exitcode", f"-var=revision={revision}")
    assert "Resources: 3 destroyed" in terraform("destroy", "-auto-approve")
