"""Manifests that want a signature sent to a host of their own choice, and who gets it in the end."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import pytest

from keyfront import Signer, SigningKey, Site
from keyfront.errors import InputError, ServiceError
from keyfront.integrations.streams import sign_manifest, sign_stream, stream_cookies
from keyfront.integrations.streams.asgi import StreamEndpoint, anyone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyfront.integrations.streams import SignedManifest

HOST = "media.example.com"
BASE = f"https://{HOST}/films/42"
HOUR = timedelta(hours=1)
SIGNER = Signer("K2JCJMDEHXQW5F", SigningKey.generate("ecdsa"))

pytestmark = pytest.mark.filterwarnings("ignore::keyfront.SigningWarning")

# Patterns that cover whatever a playlist might name.
WIDE = [
    "*",
    "https://*",
    "http*://*/films/*",
    "*://*/films/*",
    "*/films/*",
    "https://media.example.com*",
    "https://*/films/*",
]
# Where a playlist might want to lead, which a wide pattern covers or a player might read in another way.
LURES = [
    "https://evil.example/films/1.ts",
    "//evil.example/films/1.ts",
    "HTTPS://EVIL.EXAMPLE/films/1.ts",
    "https://media.example.com.evil.example/films/1.ts",
    "https://media.example.com:8443/films/1.ts",
    "https://media.example.com./films/1.ts",
    "https://media.example.com@evil.example/films/1.ts",
    "https://media.example.com:443@evil.example/films/1.ts",
    "https://evil.example#@media.example.com/films/1.ts",
    "https://evil.example?@media.example.com/films/1.ts",
    "https://evil.example\\@media.example.com/films/1.ts",
    "https:\\\\evil.example\\films\\1.ts",
    "/\\evil.example/films/1.ts",
    "\\\\evil.example/films/1.ts",
    "///evil.example/films/1.ts",
    "https:///evil.example/films/1.ts",
    "https:/evil.example/films/1.ts",
    "https:evil.example/films/1.ts",
    "/\t/evil.example/films/1.ts",
    "ht\ttps://evil.example/films/1.ts",
    "https://evil.example%2f@media.example.com/films/1.ts",
    "https://media.example.com%2eevil.example/films/1.ts",
    "https://media\u3002example.com.evil.example/films/1.ts",
    "https://evil.example/films/../films/1.ts",
    "http://media.example.com/films/42/1.ts",  # to whoever is on the way
    "https://[::1]/films/1.ts",
    "https://127.0.0.1/films/1.ts",
    "https://0x7f.1/films/1.ts",
    "ftp://evil.example/films/1.ts",
]
TAGS = [
    "{}",
    '#EXT-X-KEY:METHOD=AES-128,URI="{}"',
    '#EXT-X-SESSION-KEY:METHOD=AES-128,URI="{}"',
    '#EXT-X-MAP:URI="{}"',
    '#EXT-X-PART:DURATION=1,URI="{}"',
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="a",URI="{}"',
    '#EXT-X-CONTENT-STEERING:SERVER-URI="{}"',
    '#EXT-X-DATERANGE:ID="a",X-ASSET-URI="{}"',
    '#EXT-X-NEVER-HEARD-OF:URI="{}"',
    "#EXT-X-STREAM-INF:BANDWIDTH=1\n{}",
]


def hls(*lines: str, resource: str | None = None) -> SignedManifest:
    text = "\n".join(["#EXTM3U", "#EXTINF:4,", "honest.ts", *lines, ""])
    return sign_manifest(text, f"{BASE}/index.m3u8", SIGNER, resource=resource, expires=HOUR)


def mpd(inside: str, resource: str | None = None, attributes: str = "") -> SignedManifest:
    text = f'<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" {attributes}>{inside}</MPD>'
    return sign_manifest(text, f"{BASE}/manifest.mpd", SIGNER, resource=resource, expires=HOUR)


def _in_a_representation(inside: str) -> str:
    return f"<Period><AdaptationSet><Representation id='v'>{inside}</Representation></AdaptationSet></Period>"


@pytest.mark.parametrize("lure", LURES)
def test_a_playlist_cannot_choose_who_gets_a_signature(lure: str) -> None:
    for resource in WIDE:
        made = hls(*(tag.format(lure) for tag in TAGS), resource=resource)
        signed = [line for line in made.text.splitlines() if "Signature=" in line]
        assert [line.partition("?")[0] for line in signed] == ["honest.ts"], resource
        assert made.signed == (f"{BASE}/honest.ts",)
        assert made.left


@pytest.mark.parametrize(
    "inside",
    [
        "<BaseURL>{}</BaseURL><Period><AdaptationSet>@</AdaptationSet></Period>",
        "<Period><BaseURL>{}</BaseURL><AdaptationSet>@</AdaptationSet></Period>",
        "<Period><AdaptationSet><BaseURL>{}</BaseURL>@</AdaptationSet></Period>",
        "<Period><AdaptationSet><Representation><BaseURL>{}</BaseURL>#</Representation></AdaptationSet></Period>",
        "<BaseURL>./</BaseURL><BaseURL>{}</BaseURL><Period><AdaptationSet>@</AdaptationSet></Period>",
    ],
    ids=["MPD", "Period", "AdaptationSet", "Representation", "one of two"],
)
@pytest.mark.parametrize("base", ["https://evil.example/films/", "//evil.example/films/", "/\\evil.example/films/"])
def test_a_base_url_elsewhere_takes_its_segments_out(base: str, inside: str) -> None:
    template = "<SegmentTemplate media='$Number$.m4s' initialization='i.mp4'/>"
    text = inside.format(base).replace("@", "<Representation id='v'>#</Representation>").replace("#", template)
    for resource in WIDE:
        made = mpd(text, resource)
        assert "Signature=" not in made.text
        assert made.signed == ()
        assert {each.uri for each in made.left} == {"$Number$.m4s", "i.mp4"}


@pytest.mark.parametrize(
    "inside",
    [
        "<Location>https://evil.example/films/manifest.mpd</Location><Period/>",
        '<Period xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="https://evil.example/films/p.xml"/>',
        _in_a_representation("<BaseURL>https://evil.example/films/a.mp4</BaseURL>"),
        _in_a_representation(
            "<SegmentList><Initialization sourceURL='https://evil.example/films/i.mp4'/></SegmentList>"
        ),
        _in_a_representation("<SegmentList><SegmentURL media='//evil.example/films/1.m4s'/></SegmentList>"),
    ],
)
def test_addresses_of_an_mpd_on_another_host_stay_bare(inside: str) -> None:
    for resource in WIDE:
        made = mpd(inside, resource)
        assert "Signature=" not in made.text
        assert all("another host, evil.example" in each.reason for each in made.left)


@pytest.mark.parametrize(
    ("media", "identifier"),
    [
        ("$RepresentationID$/1.m4s", "//evil.example"),
        ("/$RepresentationID$/1.m4s", "/evil.example"),
        ("/$RepresentationID$/evil.example/1.m4s", ""),
        ("/$RepresentationID$/evil.example/1.m4s", "&#9;"),
        ("h$RepresentationID$/1.m4s", "ttps://evil.example"),
        ("$RepresentationID$/1.m4s", "\\\\evil.example"),
        ("$RepresentationID$/1.m4s", "../../other"),
    ],
)
def test_an_identifier_cannot_turn_a_template_into_another_address(media: str, identifier: str) -> None:
    inside = f"<Period><AdaptationSet><Representation id='{identifier}'><SegmentTemplate media='{media}'/>"
    made = mpd(f"{inside}</Representation></AdaptationSet></Period>", f"https://{HOST}/*")
    assert "Signature=" not in made.text
    assert "is not a plain name" in made.left[0].reason


@pytest.mark.parametrize(
    ("inside", "attributes"),
    [
        ("<BaseURL>https://evil.example/</BaseURL><Period><x:BaseURL>/films/42/</x:BaseURL>", 'xmlns:x="urn:x"'),
        ("<BaseURL>https://evil.example/</BaseURL><Period><BaseURL xmlns='urn:x'>/films/42/</BaseURL>", ""),
        ("<Period>", 'xml:base="https://evil.example/"'),
    ],
)
def test_what_only_some_players_take_for_a_base_is_refused(inside: str, attributes: str) -> None:
    rest = "<AdaptationSet><Representation id='v'><SegmentTemplate media='1.m4s'/></Representation></AdaptationSet>"
    with pytest.raises(InputError, match="which players interpret in different ways"):
        mpd(f"{inside}{rest}</Period>", None, attributes)


def test_an_mpd_whose_elements_have_a_prefix_is_signed_as_any_other() -> None:
    text = (
        '<d:MPD xmlns:d="urn:mpeg:dash:schema:mpd:2011"><d:Period><d:AdaptationSet><d:Representation id="v">'
        '<d:SegmentTemplate media="1.m4s"/></d:Representation></d:AdaptationSet></d:Period></d:MPD>'
    )
    made = sign_manifest(text, f"{BASE}/manifest.mpd", SIGNER, expires=HOUR)
    assert made.signed == (f"{BASE}/1.m4s",)


@pytest.mark.parametrize(
    "lines",
    [
        ['#EXT-X-DEFINE:NAME="h",VALUE="https://evil.example/films"', "{$h}/1.ts"],
        ['#EXT-X-DEFINE:NAME="h",VALUE="evil.example"', "https://{$h}/films/1.ts"],
        # For a player without variables the host is {$x}.evil.example, a name that can be had.
        ['#EXT-X-DEFINE:NAME="x",VALUE="media.example.com/films/42/"', "//{$x}.evil.example/films/1.ts"],
        ['#EXT-X-DEFINE:NAME="x",VALUE="media.example.com/films/42/"', "https://{$x}.evil.example/films/1.ts"],
        # The first counts for one player, the last for another.
        [
            '#EXT-X-DEFINE:NAME="h",VALUE="https://evil.example/films"',
            '#EXT-X-DEFINE:NAME="h",VALUE="https://media.example.com/films/42"',
            "{$h}/1.ts",
        ],
        # Some put variables into values, too.
        [
            '#EXT-X-DEFINE:NAME="a",VALUE="//evil.example"',
            '#EXT-X-DEFINE:NAME="b",VALUE="{$a}/films"',
            "{$b}/1.ts",
        ],
    ],
)
def test_variables_cannot_lead_elsewhere(lines: list[str]) -> None:
    for resource in [*WIDE, f"https://{HOST}/*"]:
        assert hls(*lines, resource=resource).signed == (f"{BASE}/honest.ts",)


@pytest.mark.parametrize(
    ("resource", "address", "signed"),
    [
        ("https://cdn.example.net/films/*", "https://cdn.example.net/films/1.ts", True),
        ("https://cdn.example.net:8443/films/*", "https://cdn.example.net:8443/films/1.ts", True),
        ("*://cdn.example.net/films/*", "https://cdn.example.net/films/1.ts", True),
        ("*://cdn.example.net/films/*", "http://cdn.example.net/films/1.ts", False),
        ("http://cdn.example.net/films/*", "http://cdn.example.net/films/1.ts", True),
        ("https://CDN.example.net/films/*", "https://cdn.example.NET/films/1.ts", True),
        ("https://*.example.com/films/*", "https://cdn.example.com/films/1.ts", False),
        ("https://cdn?.example.net/films/*", "https://cdn1.example.net/films/1.ts", False),
        ("https://cdn.example.net*", "https://cdn.example.net/films/1.ts", False),
        ("https://cdn.example.net:*/films/*", "https://cdn.example.net:8443/films/1.ts", False),
        ("https://*.example.com/films/*", "https://media.example.com/films/1.ts", True),
        ("*", "https://media.example.com/films/1.ts", True),
        ("*", "https://media.example.com:443/films/1.ts", True),
    ],
)
def test_another_host_gets_it_if_the_resource_names_it(resource: str, address: str, signed: bool) -> None:
    made = sign_manifest(f"#EXTM3U\n{address}\n", f"{BASE}/index.m3u8", SIGNER, resource=resource, expires=HOUR)
    assert ("Signature=" in made.text) is signed
    assert bool(made.left) is not signed


def test_a_player_of_plain_http_is_signed_for_on_its_own_host() -> None:
    text = "#EXTM3U\nhttp://localhost:8080/films/1.ts\nhttps://localhost:8080/films/2.ts\n"
    made = sign_manifest(text, "http://localhost:8080/films/i.m3u8", SIGNER, resource="*", expires=HOUR)
    assert len(made.signed) == 2


def test_a_stream_reads_no_playlist_of_another_host() -> None:
    asked: list[str] = []

    def read_text(url: str) -> str:
        asked.append(url)
        lines = ["#EXTM3U"]
        for host in ("evil.example", "169.254.169.254", HOST):
            lines += ["#EXT-X-STREAM-INF:BANDWIDTH=1", f"https://{host}/films/low.m3u8"]
        return "\n".join(lines)

    made = sign_stream(f"{BASE}/master.m3u8", SIGNER, read_text=read_text, resource="*", expires=HOUR)
    assert asked == [f"{BASE}/master.m3u8", f"https://{HOST}/films/low.m3u8"]
    assert {urlsplit(each.uri).netloc for each in made.left} == {"evil.example", "169.254.169.254"}


def test_cookies_are_no_part_of_an_address_and_are_judged_by_the_policy_alone() -> None:
    text = "#EXTM3U\nhttps://cdn.example.com/films/1.ts\n"
    resource = "https://*.example.com/films/*"
    made = stream_cookies(text, f"{BASE}/i.m3u8", SIGNER, resource=resource, expires=HOUR)
    assert made.left == ()
    assert made.text == text


class _Elsewhere(BaseHTTPRequestHandler):
    """Sends every request on to another path of itself, and keeps what was asked for."""

    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        self.send_response(302)
        self.send_header("Location", "/elsewhere.m3u8")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def redirecting() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Elsewhere)
    server.asked = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_redirect_is_not_followed_with_the_signature(redirecting: Any) -> None:
    base = f"http://127.0.0.1:{redirecting.server_port}"
    with pytest.raises(ServiceError, match="redirects are not followed"):
        sign_stream(f"{base}/films/master.m3u8", SIGNER, expires=HOUR)
    endpoint = StreamEndpoint(Site(SIGNER, base), allow=anyone, lifetime=HOUR)

    async def ask() -> None:
        try:
            await endpoint.signed("films/master.m3u8")
        finally:
            await endpoint.close()

    with pytest.raises(ServiceError, match="redirects are not followed"):
        asyncio.run(ask())
    assert [each.partition("?")[0] for each in redirecting.asked] == ["/films/master.m3u8"] * 2


@pytest.mark.parametrize("lure", LURES)
def test_the_endpoint_signs_for_its_own_site_alone(lure: str) -> None:
    text = "\n".join(["#EXTM3U", "honest.ts", *(tag.format(lure) for tag in TAGS), ""])
    endpoint = StreamEndpoint(
        Site(SIGNER, HOST), allow=anyone, lifetime=HOUR, origin=lambda _: text, folder=lambda _: ""
    )
    made = asyncio.run(endpoint.signed("films/42/index.m3u8"))
    lines = [line for line in made.text.splitlines() if "Signature=" in line]
    assert [urljoin(f"{BASE}/", line).partition("?")[0] for line in lines] == [f"{BASE}/honest.ts"]
