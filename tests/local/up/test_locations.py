"""`keyfront up --edges N --propagation-delay T`: a rotation that has not reached every location yet."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.waiting import wait_until

from keyfront.web.serving import CAN_SHARE_PORTS

pytestmark = pytest.mark.skipif(not CAN_SHARE_PORTS, reason="this system does not spread connections over processes")


def test_a_key_that_was_taken_out_is_refused_at_one_location_and_still_accepted_at_the_next(
    start: Callable[..., Any], tmp_path: Path
) -> None:
    with start(tmp_path, "--edges", "2", "--propagation-delay", "8s") as up:
        edge, item = up.printed["edge"], up.printed["items"][0]
        assert edge["propagation_delay"] == 8
        assert [location["name"] for location in edge["locations"]] == ["LOC1-P1", "LOC2-P1"]
        signed = up.sign(up.url(item["path"]))
        plain = up.sign(f"{edge['http']}/{item['path']}")

        def answers() -> list[int]:
            """What each location answers, the first over HTTPS and the second over HTTP."""
            first, second = edge["locations"]
            return [
                up.curl(signed, "--connect-to", f"::127.0.0.1:{first['https']}")[0],
                up.curl(plain, "--connect-to", f"::127.0.0.1:{second['http']}")[0],
            ]

        assert answers() == [200, 200]
        up.keyfront("groups", "remove", up.printed["key_group"], up.printed["key_pair_id"])
        seen: list[list[int]] = []

        def is_everywhere() -> bool:
            if (now := answers()) not in seen:
                seen.append(now)
            return now == [403, 403]

        wait_until(is_everywhere, told=lambda: seen)
        assert [403, 200] in seen
        assert [200, 403] not in seen


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--propagation-delay", "soon"), "--propagation-delay 'soon' is not a span of time"),
        (("--propagation-delay", "2d"), "--propagation-delay 2d is too long"),
        (("--edges", "0"), "--edges"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(
    arguments: tuple[str, ...], said: str, mistake: Callable[..., str]
) -> None:
    assert said in mistake(*arguments)
