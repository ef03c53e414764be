"""URLs as viewers send them, by the URL Standard's rules, and by a browser's own implementation of them."""

import json
import random
import re
import subprocess
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from keyfront import Signer, SigningKey
from keyfront.core.urls import (
    MAX_URL_BYTES,
    SIGNING_PARAMETERS,
    link_url,
    resource_pattern,
    signing_parameters,
    viewer_url,
    with_parameters,
    without_signing_parameters,
)
from keyfront.core.verification import ViewerRequest, verify
from keyfront.errors import URLError

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TABLE = tomllib.loads((Path(__file__).parent / "data" / "viewer_urls.toml").read_text())
ROWS = [(row["given"], row["sent"], row.get("link", row["sent"])) for row in TABLE["row"]]
REFUSED = [(row["given"], row["says"]) for row in TABLE["refused"]]

HREFS = """
const urls = JSON.parse(require("fs").readFileSync(0));
console.log(JSON.stringify(urls.map((url) => new URL(url).href)));
"""


@pytest.mark.parametrize(("given", "sent", "link"), ROWS)
def test_a_url_is_brought_into_the_form_in_which_viewers_send_it(given: str, sent: str, link: str) -> None:
    assert viewer_url(given) == viewer_url(sent) == sent
    assert link_url(given) == link_url(sent) == viewer_url(link) == link


@pytest.mark.parametrize("given", [None, b"https://example.com/", 7, Path("/a"), ["https://example.com/"]])
def test_what_is_no_text_is_refused_as_what_it_is(given: Any) -> None:
    what = "is None (was a variable not set?)" if given is None else f"is a {type(given).__name__}"
    for refusing in (viewer_url, link_url, resource_pattern):
        with pytest.raises(URLError) as refused:
            refusing(given)
        assert what in str(refused.value)


@pytest.mark.parametrize(("given", "says"), REFUSED)
def test_a_url_that_no_viewer_can_send_as_signed_is_refused_saying_why(given: str, says: str) -> None:
    with pytest.raises(URLError) as refused:
        viewer_url(given)
    assert says in str(refused.value)


def test_half_of_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(URLError, match="surrogate"):
        viewer_url("https://example.com/\ud83d")


@pytest.mark.parametrize(
    "url",
    [
        "https://user:hunter2@example.com/a",
        "https://user:hunter2@example.com/a#b",
        "https://user:hunter2@example.com/a/../b",
        "ftp://user:hunter2@example.com/a",
        "user:hunter2@example.com/a",
        " https://user:hunter2@example.com/a",
        "https://user:hunter2@example.com/a\n",
        "https://example.com/a/../b?token=hunter2",
        "https://exa mple.com/a?token=hunter2",
        "https://example.com/a?token=hunter2#",
        "example.com/a?token=hunter2",
        "https://example.com/a?Signature=hunter2",
        "https://example.com/a?token=hunter2\ud83d",
    ],
)
def test_no_password_and_no_query_string_is_in_an_error(url: str) -> None:
    with pytest.raises(URLError) as refused:
        viewer_url(url)
    assert "hunter2" not in str(refused.value)
    with pytest.raises(URLError) as refused:
        resource_pattern(url + "#")
    assert "hunter2" not in str(refused.value)


SEGMENT = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="/?#"), max_size=12) | st.text(
    alphabet="ab.%2eE7'&=;*[]\\|^ ü", max_size=8
)
HOST = st.sampled_from(
    [
        "example.com",
        "EXAMPLE.com",
        "d111111abcdef8.cloudfront.net",
        "localhost:8080",
        "e1.cloudfront.localhost:443",
        "127.0.0.1",
        "[::1]:8443",
        "a-b.c_d.example.",
        "h:80",
    ]
)


@st.composite
def urls(draw: st.DrawFn) -> str:
    """URLs as programs put them together: any characters in path and query string, encoded or not."""
    scheme = draw(st.sampled_from(["http", "https", "HTTPS"]))
    path = "".join("/" + segment for segment in draw(st.lists(SEGMENT, max_size=4)))
    query = draw(st.none() | st.lists(SEGMENT, max_size=3).map("&".join) | st.just("a=?b/c"))
    url = f"{scheme}://{draw(HOST)}{path}" + ("" if query is None else f"?{query}")
    assume(url == url.strip())
    segments = {segment.lower().replace("%2e", ".") for segment in path.replace("\\", "/").split("/")}
    assume(not segments & {".", ".."})
    assume(not any(signing_parameters(query or "")))
    return url


@given(urls())
@example("https://example.com/?&")
@example("https://example.com??")
def test_what_viewers_send_is_sent_again_as_it_is(url: str) -> None:
    sent = viewer_url(url)
    assert viewer_url(sent) == sent
    assert sent.isascii()
    assert sent.isprintable()
    assert " " not in sent


@given(urls())
def test_a_link_has_only_characters_that_every_client_sends_as_they_are(url: str) -> None:
    link = link_url(url)
    assert link_url(link) == viewer_url(link) == link_url(viewer_url(url)) == link
    assert re.fullmatch(r"(?:[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+", link)


@given(urls())
def test_a_sent_url_is_a_resource_as_it_is(url: str) -> None:
    sent = viewer_url(url)
    assume("\\?" not in sent)
    assert resource_pattern(sent) == sent


@given(st.text(max_size=80) | st.text(max_size=30).map("https://example.com/{}".format))
def test_nothing_makes_it_raise_anything_but_our_own_error(text: str) -> None:
    for refusing in (viewer_url, resource_pattern):
        try:
            sent = refusing(text)
        except URLError:
            continue
        assert refusing(sent) == sent


def generated(count: int, seed: int) -> list[str]:
    """URLs with every kind of character where one may stand; the same for one seed."""
    chance = random.Random(seed)
    letters = [chr(code) for code in range(0x20, 0x7F) if chr(code) not in "/?#"]
    letters += [*"üßé日本😀\u200b\ufeff\u2028", "%20", "%7e", "%2F", "%C3%BC", "%", "%4", "..", "+", "//"]
    hosts = ["example.com", "D111.CloudFront.net", "localhost:8080", "a.example:443", "[::0001]", "10.0.0.1:80"]

    def text() -> str:
        return "".join(chance.choice(letters) for _ in range(chance.randint(0, 10)))

    made: list[str] = []
    while len(made) < count:
        path = "".join("/" + text() for _ in range(chance.randint(0, 4)))
        query = chance.choice(["", "", f"?{text()}={text()}&{text()}", f"?{text()}?/{text()}"])
        url = f"{chance.choice(['http', 'HTTPS', 'https'])}://{chance.choice(hosts)}{path}{query}"
        try:
            viewer_url(url)
        except URLError:
            continue
        made.append(url)
    return made


def test_what_we_sign_is_what_a_javascript_engine_would_ask_for(need_tool: Callable[[str], Path]) -> None:
    sent = [
        form(url) for url in [*generated(600, seed=7), *(row[0] for row in ROWS)] for form in (viewer_url, link_url)
    ]
    node = subprocess.run(
        [need_tool("node"), "-e", HREFS], input=json.dumps(sent).encode(), capture_output=True, check=True
    )
    assert json.loads(node.stdout) == sent


def test_a_javascript_engine_asks_for_what_we_say(need_tool: Callable[[str], Path]) -> None:
    urls = [*generated(600, seed=11), *(row[0] for row in ROWS)]
    node = subprocess.run(
        [need_tool("node"), "-e", HREFS], input=json.dumps(urls).encode(), capture_output=True, check=True
    )
    for url, href in zip(urls, json.loads(node.stdout), strict=True):
        path, _, query = href.partition("?")
        sent, _, sent_query = viewer_url(url).partition("?")
        # Node.js before version 24 encodes ^ in a path only if it encodes another character as well.
        assert (sent, sent_query) == (path.replace("^", "%5E"), query)


@pytest.mark.large
def test_a_browser_asks_for_what_we_say(browser: "Browser") -> None:
    urls = [*generated(2000, seed=13), *(row[0] for row in ROWS)]
    page = browser.new_page()
    hrefs = page.evaluate("(urls) => urls.map((url) => new URL(url).href)", urls)
    page.close()
    for url, href in zip(urls, hrefs, strict=True):
        path, _, query = viewer_url(url).partition("?")
        asked, _, asked_query = href.partition("?")
        # Chromium encodes | in a path, other browsers do not.
        assert (path.replace("|", "%7C"), query) == (asked, asked_query)


@pytest.mark.large
def test_cookies_open_their_url_in_a_browser(browser: "Browser", gate: "Gate") -> None:
    context = browser.new_context()
    page = context.new_page()
    for tail in ("b?q={x}", 'b?q={"a":[1,2]}&r=a|b^c`d\\e%', "{lang}/2^10\\a b%.txt", "ü/'x'?'y'"):
        url = f"{gate.url}/{tail}"
        context.clear_cookies()
        cookies = gate.signer.sign_cookies(url, expires=timedelta(hours=1))
        context.add_cookies([{"name": name, "value": value, "url": gate.url} for name, value in cookies.items()])
        answer = page.goto(url)
        assert answer is not None
        assert (answer.status, url) == (200, url)
    context.close()


class Gate(NamedTuple):
    """A server that allows what the judge allows, at a name that browsers resolve."""

    url: str
    signer: Signer


@pytest.fixture
def gate() -> Iterator[Gate]:
    signer = Signer("K2JCJMDEHXQW5F", SigningKey.generate("ecdsa"))
    keys = {signer.key_pair_id: signer.key.public_key}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = ViewerRequest(f"http://{self.headers['Host']}{self.path}", self.headers.get("Cookie", ""))
            self.send_response(200 if verify(asked, keys, time.time()).allowed else 403)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        yield Gate(f"http://gate.test:{server.server_port}", signer)
        server.shutdown()


# Resources


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("*", "*"),
        ("https://*", "https://*"),
        ("*://example.com/*", "*://example.com/*"),
        ("http*://example.com/*", "http*://example.com/*"),
        ("*example.com", "*example.com"),
        ("*.Example.com/A b", "*.example.com/A%20b"),
        ("HTTPS://Example.COM/Training/*", "https://example.com/Training/*"),
        ("https://example.com", "https://example.com"),
        ("https://example.com*", "https://example.com*"),
        ("https://example.com:443/*", "https://example.com/*"),
        ("https://example.com:8443/*", "https://example.com:8443/*"),
        ("https://example.com/a b/ü*?x=it's", "https://example.com/a%20b/%C3%BC*?x=it%27s"),
        (r"https://example.com/a\?size=large", "https://example.com/a?size=large"),
        ("https://example.com/a*?*", "https://example.com/a*?*"),
        ("https://example.com?a=1", "https://example.com?a=1"),
        ("http?://media.example.com/a/*", "http?://media.example.com/a/*"),
        ("HTTP?://Media.Example.com/a b/*", "http?://media.example.com/a%20b/*"),
        ("?ttps://media.example.com/a?b={c}", "?ttps://media.example.com/a?b={c}"),
        ("https://media.example.com/{a}^|\\b/*?q={*}", "https://media.example.com/%7Ba%7D%5E|/b/*?q={*}"),
        ("https://ex?mple.com/a", "https://ex?mple.com/a"),
        ("http://[::1]:8080/*", "http://[::1]:8080/*"),
    ],
)
def test_a_resource_keeps_its_wildcards_and_is_else_as_viewers_send_it(given: str, written: str) -> None:
    assert resource_pattern(given) == written
    assert resource_pattern(written) == written


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("", "empty"),
        ("example.com/*", "no scheme"),
        ("/images/*", "no scheme"),
        ("images/*.jpg", "no scheme"),
        ("?x", "no scheme"),
        ("a?u=https://b", "no scheme"),
        ("https:///a", "not a resource"),
        ("ht tp://example.com/a", "not a resource"),
        ("https://exa mple.com/a", "not a resource"),
        ("https://bücher.example/*", "not a resource"),
        ("https://user:secret@example.com/*", "not a resource"),
        ("https://example.com/a#*", "'#'"),
        ("https://example.com/a/../*", "'..' segment"),
        ("https://example.com/*\n", "control character"),
        ("*\x00", "control character"),
        (" https://example.com/*", "white space"),
        ("* ", "white space"),
        ("https://example.com/a?Expires=1&Signature=x", "'Expires'"),
        ("https://example.com/*?Policy=x", "'Policy'"),
        ("*?Key-Pair-Id=K", "'Key-Pair-Id'"),
    ],
)
def test_what_can_be_no_resource_is_refused_saying_why(given: str, says: str) -> None:
    with pytest.raises(URLError) as refused:
        resource_pattern(given)
    assert says in str(refused.value)


# Parameters


def test_the_signing_parameters_are_cloudfronts_five() -> None:
    assert {"Expires", "Policy", "Signature", "Key-Pair-Id", "Hash-Algorithm"} == SIGNING_PARAMETERS


@pytest.mark.parametrize(
    ("query", "own"),
    [
        ("", ""),
        ("a=1", "a=1"),
        ("Expires=1&Signature=x&Key-Pair-Id=K", ""),
        ("a=1&Expires=1&b=2&Signature=x&Key-Pair-Id=K&c", "a=1&b=2&c"),
        ("Policy=x&z=%20+&a=&&=b&Hash-Algorithm=SHA256&é", "z=%20+&a=&&=b&é"),
        ("Policy", ""),
        ("expires=1&POLICY=2&signature=3&Key-pair-id=4", "expires=1&POLICY=2&signature=3&Key-pair-id=4"),
        ("Expires2=1&XPolicy=2&%45xpires=3", "Expires2=1&XPolicy=2&%45xpires=3"),
        ("a=Expires=1", "a=Expires=1"),
    ],
)
def test_the_viewers_own_parameters_keep_their_order_and_their_bytes(query: str, own: str) -> None:
    assert without_signing_parameters(query) == own


def test_values_of_signing_parameters_are_given_as_sent() -> None:
    assert list(signing_parameters("a=1&Expires=%31&Policy&Policy=b=c")) == [
        ("Expires", "%31"),
        ("Policy", ""),
        ("Policy", "b=c"),
    ]


def test_a_url_may_have_8192_bytes_and_no_more() -> None:
    url = "https://example.com/" + "a" * (MAX_URL_BYTES - len("https://example.com/") - len("?E=1"))
    assert len(with_parameters(url, "E=1")) == 8192
    with pytest.raises(URLError, match="8,193 bytes, and CloudFront accepts at most 8,192"):
        with_parameters(url + "a", "E=1")
