"""Private streams in Chromium, through hls.js and dash.js and a real edge: with signed addresses, and with cookies.

The streams are made by ffmpeg: HLS in two qualities with initialisations and AES-128, DASH with a template.
"""

import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from playwright.sync_api import Browser, Page
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from tests.keys import shared_rsa
from tests.servers import Loop, Quiet

from keyfront import Signer, SigningKey, Site
from keyfront.edge.configuration import configure
from keyfront.edge.exchange import Outcome
from keyfront.edge.origin.client import Origins
from keyfront.edge.pipeline import Edge
from keyfront.edge.request.admission import Door
from keyfront.edge.server.asgi import application
from keyfront.integrations.streams import sign_stream, stream_cookies
from keyfront.integrations.streams.asgi import StreamEndpoint, anyone
from keyfront.inventory import (
    CacheBehavior,
    CustomOrigin,
    Distribution,
    Inventory,
    KeyGroup,
    Origin,
    ResponseHeadersPolicy,
    TrustedKey,
)
from keyfront.inventory.response_headers import response_headers_policy
from keyfront.local.controlplane import ControlPlane
from keyfront.web.serving import Listener, bind

PLAYER = Path(__file__).parent / "player"
SCRIPTS = {
    "hls.min.js": PLAYER / "node_modules/hls.js/dist/hls.min.js",
    "dash.all.min.js": PLAYER / "node_modules/dashjs/dist/modern/umd/dash.all.min.js",
}
PAGE = Path(__file__).parents[3] / "docs" / "video.md"
_JSON = re.compile(r"^```json\n(.*?)^```", re.DOTALL | re.MULTILINE)
SITE, MEDIA = "school.localhost", "media.school.localhost"
CACHING_OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"
SECONDS = 3
HOUR = timedelta(hours=1)
FIRST = {"hls": "master.m3u8", "dash": "manifest.mpd"}
# Segments, and all else that is fetched: two qualities begin, of which one is played; sound is DASH's third.
SEGMENTS = {"hls": (".m4s", SECONDS), "dash": (".m4s", 2 * SECONDS)}


@dataclass
class School:
    """A site, and the distribution with its lessons."""

    site: str
    media: str
    signer: Signer
    outcomes: list[Outcome] = field(default_factory=list)

    def statuses(self) -> set[int]:
        """What the edge decided."""
        return {each.decision.status for each in self.outcomes if each.decision}

    def watch(self, source: str, *, credentials: bool = False) -> str:
        asked = {"source": source, **({"credentials": "1"} if credentials else {})}
        return f"{self.site}/watch.html?{urlencode(asked)}"


@pytest.fixture(scope="module")
def player(npm: Callable[[Path, Path], None]) -> dict[str, Path]:
    """The player's page; hls.js and dash.js come from npm, at the versions and hashes of the lock file."""
    for script in SCRIPTS.values():
        npm(PLAYER, script)
    return {"watch.html": PLAYER / "watch.html", **SCRIPTS}


@pytest.fixture(scope="module")
def lessons(ffmpeg: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the origin has: `plain/hls` and `plain/dash`."""
    folder = tmp_path_factory.mktemp("lessons")
    plain = folder / "plain"
    (plain / "dash").mkdir(parents=True)
    source = ["-f", "lavfi", "-i", f"testsrc2=size=128x72:rate=10:duration={SECONDS}"]
    source += ["-f", "lavfi", "-i", f"sine=frequency=440:duration={SECONDS}"]
    coded = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "10", "-c:a", "aac"]
    coded += ["-b:v:0", "120k", "-b:v:1", "60k"]
    hls = [*("-map", "0:v", "-map", "1:a") * 2, *coded, "-f", "hls", "-hls_time", "1", "-hls_playlist_type", "vod"]
    hls += ["-hls_segment_type", "fmp4", "-hls_fmp4_init_filename", "init.mp4", "-master_pl_name", "master.m3u8"]
    hls += ["-var_stream_map", "v:0,a:0,name:high v:1,a:1,name:low", "-hls_segment_filename", "hls/%v/%03d.m4s"]
    dash = [*("-map", "0:v", "-map", "0:v", "-map", "1:a"), *coded, "-f", "dash", "-seg_duration", "1"]
    dash += ["-use_template", "1", "-use_timeline", "0", "-adaptation_sets", "id=0,streams=v id=1,streams=a"]
    for arguments in ([*hls, "hls/%v/index.m3u8"], [*dash, "dash/manifest.mpd"]):
        command = [str(ffmpeg), "-loglevel", "error", *source, *arguments]
        subprocess.run(command, cwd=plain, check=True, timeout=60)
    _encrypt(plain / "hls")
    return folder


def _encrypt(folder: Path) -> None:
    """AES-128 over each segment, as RFC 8216 has it: ffmpeg does that for MPEG-2 TS alone."""
    key = os.urandom(16)
    (folder / "key.bin").write_bytes(key)
    for playlist in folder.glob("*/index.m3u8"):
        text = playlist.read_text()
        first = text.index("#EXTINF")
        playlist.write_text(f'{text[:first]}#EXT-X-KEY:METHOD=AES-128,URI="../key.bin"\n{text[first:]}')
        for number, segment in enumerate(sorted(playlist.parent.glob("*.m4s"))):
            padder = PKCS7(128).padder()
            padded = padder.update(segment.read_bytes()) + padder.finalize()
            encryptor = Cipher(algorithms.AES128(key), modes.CBC(number.to_bytes(16))).encryptor()
            segment.write_bytes(encryptor.update(padded) + encryptor.finalize())


class Files(Quiet, SimpleHTTPRequestHandler):
    """The distribution's origin: files, and no CORS."""

    protocol_version = "HTTP/1.1"


@pytest.fixture(scope="module")
def school(player: dict[str, Path], lessons: Path) -> Iterator[School]:
    loop = Loop()
    key = shared_rsa()
    outcomes: list[Outcome] = []
    at_site, at_edge = bind("127.0.0.1", 0), bind("127.0.0.1", 0)
    site = f"http://{SITE}:{at_site.getsockname()[1]}"
    media = f"http://{MEDIA}:{at_edge.getsockname()[1]}"
    school = School(site, media, Signer("K1", key), outcomes)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=str(lessons)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    origins = Origins()

    async def start() -> list[Listener]:
        edge = Edge(origins, on_decision=outcomes.append)
        edge.configuration = configure(_inventory(key, server.server_port, site))
        listeners = [Listener(application(edge, Door()), at_edge), Listener(_site(school, player, lessons), at_site)]
        for listener in listeners:
            listener.start()
        return listeners

    listeners = loop.run(start())
    try:
        yield school
    finally:
        for listener in listeners:
            loop.run(listener.stop())
        loop.run(origins.aclose())
        loop.close()
        server.shutdown()
        thread.join()
        server.server_close()


def _inventory(key: SigningKey, port: int, site: str) -> Inventory:
    """The lessons twice: as the page has it, and below `/closed/` without the policy for the player's page."""
    policy = _of_the_page(site)
    behavior = CacheBehavior(
        "*",
        "files",
        cache_policy_id=CACHING_OPTIMIZED,
        trusted_key_groups=("g1",),
        protected=True,
        response_headers_policy_id=policy.id,
    )
    closed = replace(behavior, path_pattern="/closed/*", response_headers_policy_id="")
    origin = Origin("files", "127.0.0.1", custom=CustomOrigin(http_port=port, protocol_policy="http-only"))
    distribution = Distribution("E1", MEDIA, behavior, (closed,), origins=(origin,), etag="e1")
    return Inventory(
        distributions=(distribution,),
        key_groups={"g1": KeyGroup("g1", "one", ("K1",))},
        keys={"K1": TrustedKey("K1", "key", key.public_key)},
        response_headers_policies={policy.id: policy},
    )


def _of_the_page(site: str) -> ResponseHeadersPolicy:
    """The response headers policy that docs/video.md shows, as the API takes it, for the player's page at `site`."""
    config = json.loads(_JSON.findall(PAGE.read_text("utf-8"))[0].replace("https://www.example.com", site))
    made: Any = ControlPlane().perform("CreateResponseHeadersPolicy", {"ResponseHeadersPolicyConfig": config})
    return response_headers_policy(made["ResponseHeadersPolicy"])


def _site(school: School, player: dict[str, Path], lessons: Path) -> Starlette:
    async def file(request: Request) -> Response:
        return FileResponse(player[request.path_params["name"]])

    async def sign_in(request: Request) -> Response:
        """Cookies for the stream that is asked for."""
        path = request.query_params["stream"]
        text = (lessons / path).read_text()
        made = stream_cookies(text, f"{school.media}/{path}", school.signer, expires=HOUR)
        assert made.text == text
        response = RedirectResponse(request.query_params["then"], 303)
        for header in made.cookies.set_cookie_headers(domain=SITE, same_site="Lax", secure=False):
            response.headers.append("Set-Cookie", header)
        return response

    endpoint = StreamEndpoint(
        Site(school.signer, school.media),
        allow=anyone,
        lifetime=HOUR,
        origin=lessons,
        folder=lambda path: "/".join(path.split("/")[:2]),
    )
    return Starlette(routes=[Mount("/play", endpoint), Route("/sign-in", sign_in), Route("/{name}", file)])


@pytest.fixture
def page(browser: Browser, school: School) -> Iterator[Page]:
    """A browser that has no cookies yet, and nothing known of earlier requests."""
    context = browser.new_context()
    context.set_default_timeout(30_000)
    school.outcomes.clear()
    yield context.new_page()
    context.close()


def _with_signed_addresses(school: School, lessons: Path, kind: str) -> str:
    """The manifests are signed once, and put where they were (here in a copy of the stream)."""
    folder = lessons / "signed" / kind
    if not folder.exists():
        shutil.copytree(lessons / "plain" / kind, folder)

        def text(url: str) -> str:
            return (lessons / urlsplit(url).path[1:]).read_text()

        made = sign_stream(f"{school.media}/signed/{kind}/{FIRST[kind]}", school.signer, read_text=text, expires=HOUR)
        assert not made.left
        for url, manifest in made.manifests.items():
            (lessons / urlsplit(url).path[1:]).write_text(manifest.text)
        (folder / "url").write_text(made.url)
    return school.watch((folder / "url").read_text())


def _from_the_endpoint(school: School, lessons: Path, kind: str) -> str:
    return school.watch(f"{school.site}/play/plain/{kind}/{FIRST[kind]}")


def _with_cookies(school: School, lessons: Path, kind: str) -> str:
    path = f"plain/{kind}/{FIRST[kind]}"
    then = school.watch(f"{school.media}/{path}", credentials=True)
    return f"{school.site}/sign-in?{urlencode({'stream': path, 'then': then})}"


@pytest.mark.parametrize("kind", ["hls", "dash"])
@pytest.mark.parametrize("way", [_with_signed_addresses, _from_the_endpoint, _with_cookies])
def test_a_stream_plays_to_its_end(
    page: Page, school: School, lessons: Path, way: Callable[[School, Path, str], str], kind: str
) -> None:
    page.goto(way(school, lessons, kind))
    # Until then dash.js may give the video another source, which stops it.
    page.wait_for_function("video.readyState > 0 || fatal")
    page.evaluate("video.playbackRate = 4; video.play()")
    page.wait_for_function("video.ended || fatal")
    assert page.evaluate("fatal") is None
    assert page.evaluate("video.currentTime") == pytest.approx(SECONDS, abs=0.2)
    assert school.statuses() == {200}


@pytest.mark.parametrize("kind", ["hls", "dash"])
def test_a_stream_without_a_signature_is_refused(page: Page, school: School, kind: str) -> None:
    page.goto(school.watch(f"{school.media}/plain/{kind}/{FIRST[kind]}", credentials=True))
    page.wait_for_function("fatal")
    assert page.evaluate("video.readyState") == 0
    assert school.statuses() == {403}


def test_a_stream_with_cookies_and_without_the_policy_is_not_readable(
    page: Page, school: School, lessons: Path
) -> None:
    shutil.copytree(lessons / "plain" / "hls", lessons / "closed" / "hls")
    path = f"closed/hls/{FIRST['hls']}"
    then = school.watch(f"{school.media}/{path}", credentials=True)
    page.goto(f"{school.site}/sign-in?{urlencode({'stream': path, 'then': then})}")
    page.wait_for_function("fatal")
    assert page.evaluate("fatal") == "manifestLoadError"
    assert school.statuses() == {200}, "CloudFront sent it, and the browser kept it from the page"


@pytest.mark.parametrize("kind", ["hls", "dash"])
def test_a_signed_address_of_the_manifest_alone_does_not_play(page: Page, school: School, kind: str) -> None:
    url = school.signer.sign_url(f"{school.media}/plain/{kind}/{FIRST[kind]}", expires=HOUR)
    page.goto(school.watch(url))
    page.wait_for_function("fatal")
    assert page.evaluate("video.readyState") == 0
    first, *others = [each.decision.status for each in school.outcomes if each.decision]
    assert first == 200
    assert set(others) == {403}


def test_cookies_for_one_stream_do_not_play_another(page: Page, school: School, lessons: Path) -> None:
    page.goto(_with_cookies(school, lessons, "dash"))
    page.goto(school.watch(f"{school.media}/plain/hls/{FIRST['hls']}", credentials=True))
    school.outcomes.clear()
    page.wait_for_function("fatal")
    assert page.evaluate("video.readyState") == 0
