"""The drawing of who trusts whom."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.console.conftest import Open

from keyfront.console.accounts import LiveAccount

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient


class _NoServices:
    """Stands in for services that the laptop's CloudFront alone does not have."""

    def __getattr__(self, name: str) -> Any:
        from botocore.exceptions import EndpointConnectionError

        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")


def test_the_drawing_links_each_node_and_each_finding(
    open_console: Open,
    cloudfront: "CloudFrontClient",
    make_key: Callable[[], str],
    make_group: Callable[..., str],
    trusting: Callable[..., str],
) -> None:
    key, alone = make_key(), make_key()
    group = make_group(key)
    distribution = trusting(group)
    page = open_console(LiveAccount("the laptop", lambda: cloudfront, lambda _: _NoServices()))
    assert 'data-drawing="/trust/drawing"' in page.get("/trust").text
    drawn = page.get("/trust/drawing").text
    for node in (key, alone, group, f"{distribution}:*", f"{distribution}/shop"):
        assert f'data-id="{node}"' in drawn
    for start, end in ((key, group), (group, f"{distribution}:*"), (f"{distribution}:*", f"{distribution}/shop")):
        assert f'data-from="{start}" data-to="{end}"' in drawn
    assert f'data-from="{alone}"' not in drawn
    assert 'id="finding-1"' in drawn
    assert 'href="#finding-' in drawn
    assert "<strong>Fix:</strong>" in drawn
    assert "not checked" in drawn
    assert "<style" not in drawn
