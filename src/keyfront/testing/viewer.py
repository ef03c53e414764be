"""A viewer of a `CloudFront`: it needs no names to resolve and no certificates."""

import http.client
import string
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from keyfront.core.urls import viewer_url
from keyfront.core.verification import ViewerRequest

_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Reply:
    """The edge's response."""

    request: ViewerRequest
    status: int
    headers: Mapping[str, str]
    """By names in lower case. Headers of the same name are joined with a comma, cookies with a line break."""
    body: bytes
    reason: str
    """`allowed`, or why the edge refused the request: `expired`, `missing-key-pair-id`, …"""

    @property
    def allowed(self) -> bool:
        """Whether the edge let the request in. What the origin then answered is in `status`."""
        return self.reason == "allowed"

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")


def fetch(
    ports: Mapping[str, int],
    url: str,
    *,
    method: str,
    headers: Mapping[str, str],
    cookies: Mapping[str, str],
    body: bytes | None,
) -> tuple[ViewerRequest, http.client.HTTPResponse, bytes]:
    """Send one request to the edge's port for the URL's scheme, as a browser would write it.

    Raises `URLError` for what is not a URL.
    """
    base, mark, query = url.partition("?")
    sent = f"{viewer_url(base)}{mark}{quote(query, safe=string.punctuation)}"
    parts = urlsplit(sent)
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    target = sent[len(f"{parts.scheme}://{parts.netloc}") :].partition("#")[0] or "/"
    connection = http.client.HTTPConnection("127.0.0.1", ports[parts.scheme], timeout=_SECONDS)
    try:
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in {"Host": parts.netloc, **({"Cookie": cookie} if cookie else {}), **headers}.items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        return ViewerRequest(sent, cookie, "127.0.0.1"), response, response.read()
    finally:
        connection.close()
