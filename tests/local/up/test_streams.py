"""Video behind signed cookies in Chromium: one file that is seeked in, and an HLS stream through hls.js.

A site at school.localhost signs its viewers in and gives them the cookies; the distribution beside it, at
media.school.localhost, has the lessons. The player is a page of the site, or a public one of the distribution.
"""

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import boto3
import pytest
from botocore.config import Config
from playwright.sync_api import Browser, Page, Response
from tests.servers import Quiet, http_server
from tests.waiting import wait_until

from keyfront import Signer, SigningKey

PLAYER = Path(__file__).parent / "player"
HLS = PLAYER / "node_modules" / "hls.js" / "dist" / "hls.min.js"
BUCKET = "school-lessons"
SITE, MEDIA = "school.localhost", "media.school.localhost"
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/6c5f2e58-0000-4000-8000-000000000000"
CACHING_OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"
LESSON = re.compile(rf"http://{re.escape(MEDIA)}:\d+/lesson-")
SECONDS, SEGMENTS = 20, 6
SRC_NOT_SUPPORTED = 4
"""HTMLMediaElement's MEDIA_ERR_SRC_NOT_SUPPORTED: what a refusal is to it."""
TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".mp4": "video/mp4",
    ".m3u8": "application/vnd.apple.mpegurl",
    ".ts": "video/mp2t",
}


@dataclass(frozen=True)
class School:
    """The site and the distribution with its lessons, as a viewer's browser sees them."""

    site: str
    media: str
    lessons: Path
    signer: Signer

    def player(self, at: str, source: str) -> str:
        page = {"site": f"{self.site}/watch.html", "distribution": f"{self.media}/player/watch.html"}[at]
        return f"{page}?{urlencode({'source': source})}"

    def sign_in(self, lesson: str, then: str) -> str:
        """The address that hands out the cookies for one lesson and leads on."""
        return f"{self.site}/sign-in?{urlencode({'lesson': lesson, 'then': then})}"


@pytest.fixture(scope="module")
def player(npm: Callable[[Path, Path], None]) -> dict[str, Path]:
    """The files of the player's page; hls.js comes from npm, at the version and hash of the lock file."""
    npm(PLAYER, HLS)
    return {"watch.html": PLAYER / "watch.html", "hls.min.js": HLS}


@pytest.fixture(scope="module")
def lessons(ffmpeg: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film so large that a browser does not read it whole before it plays, and a stream in two qualities."""
    folder = tmp_path_factory.mktemp("lessons")
    h264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "25", "-c:a", "aac"]
    pictures = f"testsrc2=size=320x180:rate=25:duration={SECONDS},noise=alls=40:allf=t"
    film = [*("-f", "lavfi", "-i", pictures), *("-f", "lavfi", "-i", f"sine=frequency=440:duration={SECONDS}"), *h264]
    film += ["-b:v", "4M", "-maxrate", "4M", "-bufsize", "4M", "-movflags", "+faststart", "film.mp4"]
    stream = ["-t", str(SEGMENTS), "-i", "film.mp4", "-filter_complex", "[0:v]split[a][b];[b]scale=160:90[c]"]
    stream += [
        *("-map", "[a]", "-map", "0:a", "-map", "[c]", "-map", "0:a"),
        *h264,
        "-b:v:0",
        "1500k",
        "-b:v:1",
        "300k",
    ]
    stream += ["-f", "hls", "-hls_time", "1", "-hls_playlist_type", "vod", "-hls_segment_filename", "%v/%03d.ts"]
    stream += ["-master_pl_name", "master.m3u8", "-var_stream_map", "v:0,a:0,name:high v:1,a:1,name:low"]
    for arguments in (film, [*stream, "%v/index.m3u8"]):
        subprocess.run([ffmpeg, "-loglevel", "error", *arguments], cwd=folder, check=True, timeout=60)
    assert (folder / "film.mp4").stat().st_size > 8_000_000
    return folder


class Site(Quiet):
    """The school's own web site: it signs in whoever asks, and has the player's page."""

    def __init__(self, player: dict[str, Path], signer: Signer, media: str, *connection: Any) -> None:
        self.player, self.signer, self.media = player, signer, media
        super().__init__(*connection)

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        name, query = url.path.removeprefix("/"), parse_qs(url.query)
        if name == "sign-in":
            self.send_response(303)
            cookies = self.signer.sign_cookies(f"{self.media}/{query['lesson'][0]}/*", expires=timedelta(hours=2))
            for header in cookies.set_cookie_headers(domain=SITE, same_site="Lax", secure=False):
                self.send_header("Set-Cookie", header)
            self.send_header("Location", query["then"][0])
            self.end_headers()
        elif name in self.player:
            self.send_response(200)
            self.send_header("Content-Type", TYPES[Path(name).suffix])
            self.end_headers()
            self.wfile.write(self.player[name].read_bytes())
        else:
            self.send_error(404)


@pytest.fixture(scope="module")
def school(up: Any, player: dict[str, Path], lessons: Path) -> Iterator[School]:
    port = up.printed["edge"]["http"].rpartition(":")[2]
    signer = Signer(up.printed["key_pair_id"], SigningKey.load(Path(up.printed["private_key"])))
    media = f"http://{MEDIA}:{port}"
    with http_server(partial(Site, player, signer, media)) as site_port:
        site = f"http://{SITE}:{site_port}"
        _publish(up, site, player, lessons)
        yield School(site, media, lessons, signer)


def _publish(up: Any, site: str, player: dict[str, Path], lessons: Path) -> None:
    """A private bucket with two lessons that need a signature, and the player's page that needs none."""
    environment = up.printed["environment"]
    session = boto3.Session(
        environment["AWS_ACCESS_KEY_ID"],
        environment["AWS_SECRET_ACCESS_KEY"],
        region_name=environment["AWS_DEFAULT_REGION"],
    )
    config = Config(proxies={}, s3={"addressing_style": "path"})
    s3: Any = session.client("s3", endpoint_url=up.printed["endpoint"], config=config)
    cloudfront: Any = session.client("cloudfront", endpoint_url=up.printed["endpoint"], config=config)
    s3.create_bucket(Bucket=BUCKET)
    files = {f"player/{name}": file for name, file in player.items()}
    for file in filter(Path.is_file, lessons.rglob("*")):
        files[f"lesson-1/{file.relative_to(lessons)}"] = file
    files["lesson-2/film.mp4"] = lessons / "film.mp4"
    for key, file in files.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=file.read_bytes(), ContentType=TYPES[file.suffix])
    control = cloudfront.create_origin_access_control(
        OriginAccessControlConfig={
            "Name": BUCKET,
            "SigningProtocol": "sigv4",
            "SigningBehavior": "always",
            "OriginAccessControlOriginType": "s3",
        }
    )["OriginAccessControl"]["Id"]
    cors = cloudfront.create_response_headers_policy(
        ResponseHeadersPolicyConfig={
            "Name": "the-school-may-play",
            "CorsConfig": {
                "AccessControlAllowOrigins": {"Quantity": 1, "Items": [site]},
                "AccessControlAllowHeaders": {"Quantity": 1, "Items": ["Range"]},
                "AccessControlAllowMethods": {"Quantity": 2, "Items": ["GET", "HEAD"]},
                "AccessControlAllowCredentials": True,
                "OriginOverride": True,
            },
        }
    )["ResponseHeadersPolicy"]["Id"]
    behavior = {"TargetOriginId": "lessons", "ViewerProtocolPolicy": "allow-all", "CachePolicyId": CACHING_OPTIMIZED}
    trusted = {"Enabled": True, "Quantity": 1, "Items": [up.printed["key_group"]]}
    origin = {
        "Id": "lessons",
        "DomainName": f"{BUCKET}.s3.us-east-1.amazonaws.com",
        "OriginAccessControlId": control,
        "S3OriginConfig": {"OriginAccessIdentity": ""},
    }
    made = cloudfront.create_distribution(
        DistributionConfig={
            "CallerReference": BUCKET,
            "Comment": "lessons",
            "Enabled": True,
            "Aliases": {"Quantity": 1, "Items": [MEDIA]},
            "ViewerCertificate": {"ACMCertificateArn": CERTIFICATE, "SSLSupportMethod": "sni-only"},
            "Origins": {"Quantity": 1, "Items": [origin]},
            "CacheBehaviors": {"Quantity": 1, "Items": [{**behavior, "PathPattern": "/player/*"}]},
            "DefaultCacheBehavior": {**behavior, "TrustedKeyGroups": trusted, "ResponseHeadersPolicyId": cors},
        }
    )["Distribution"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{BUCKET}/*",
        "Condition": {"StringEquals": {"AWS:SourceArn": made["ARN"]}},
    }
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    wait_until(lambda: cloudfront.get_distribution(Id=made["Id"])["Distribution"]["Status"] == "Deployed")


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A browser that has no cookies yet."""
    context = browser.new_context(viewport={"width": 640, "height": 360})
    context.set_default_timeout(30_000)
    opened = context.new_page()
    # Its own cache would cut requests for ranges in pieces, and write the answers' Content-Range.
    network = context.new_cdp_session(opened)
    network.send("Network.enable")
    network.send("Network.setCacheDisabled", {"cacheDisabled": True})
    yield opened
    context.close()


@pytest.fixture
def answers(page: Page) -> list[Response]:
    """What the distribution answers for the lessons, where the page may see it."""
    kept: list[Response] = []
    page.on("response", lambda response: kept.append(response) if LESSON.match(response.url) else None)
    return kept


class Statuses:
    """The statuses that came for the lessons, those too that the browser keeps from a page of another origin."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._asked: set[str] = set()
        self._came: list[tuple[str, int]] = []
        network = page.context.new_cdp_session(page)
        network.on("Network.requestWillBeSent", self._sent)
        network.on("Network.responseReceivedExtraInfo", self._received)
        network.send("Network.enable")

    def _sent(self, event: dict[str, Any]) -> None:
        if LESSON.match(event["request"]["url"]):
            self._asked.add(event["requestId"])

    def _received(self, event: dict[str, Any]) -> None:
        # This comes from the network's process, at times before the page's own event.
        self._came.append((event["requestId"], event["statusCode"]))

    def take(self, count: int) -> list[int]:
        """All that came since the last time, once there are `count`: the browser tells them after the page."""
        deadline = time.monotonic() + 10
        while len(taken := [status for request, status in self._came if request in self._asked]) < count:
            assert time.monotonic() < deadline, self._came
            self._page.wait_for_timeout(10)
        self._came = []
        return taken


@pytest.fixture
def statuses(page: Page) -> Statuses:
    return Statuses(page)


def _parts(answers: list[Response]) -> list[tuple[int, int, int]]:
    """First byte, last byte and size of each answer, which has to be the part that was asked for."""
    parts = []
    for answer in answers:
        assert answer.status == 206, answer.url
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", answer.request.all_headers()["range"])
        given = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", answer.headers["content-range"])
        assert asked
        assert given
        first, last, size = (int(number) for number in given.groups())
        assert (first, last) == (int(asked[1]), int(asked[2] or size - 1))
        parts.append((first, last, size))
    return parts


def test_a_film_plays_with_signed_cookies_and_seeks_by_ranges(
    page: Page, school: School, answers: list[Response]
) -> None:
    page.goto(school.sign_in("lesson-1", school.player("site", f"{school.media}/lesson-1/film.mp4")))
    page.evaluate("video.play()")
    page.wait_for_function("video.currentTime > 0.5")
    size = (school.lessons / "film.mp4").stat().st_size
    before = _parts(answers)
    assert before
    assert max(first for first, _, _ in before) < size // 2
    page.evaluate(f"video.currentTime = {SECONDS - 3}")
    page.wait_for_function(f"!video.seeking && video.currentTime > {SECONDS - 2.5}")
    parts = _parts(answers)
    assert max(first for first, _, _ in parts) > size // 2
    assert {whole for _, _, whole in parts} == {size}
    page.wait_for_function("video.ended")
    assert page.evaluate("video.error") is None


@pytest.mark.parametrize("at", ["site", "distribution"])
def test_a_film_without_cookies_or_with_another_lessons_is_refused(
    page: Page, school: School, statuses: Statuses, answers: list[Response], at: str
) -> None:
    film = school.player(at, f"{school.media}/lesson-2/film.mp4")
    for address in (film, school.sign_in("lesson-1", film)):
        page.goto(address)
        page.wait_for_function("video.error !== null")
        assert page.evaluate("video.error.code") == SRC_NOT_SUPPORTED
        assert statuses.take(1) == [403]
    answers.clear()
    page.goto(school.sign_in("lesson-2", film))
    page.wait_for_function("video.readyState >= 3")
    assert _parts(answers)


@pytest.mark.parametrize("at", ["site", "distribution"])
def test_a_stream_plays_to_its_end_with_signed_cookies(
    page: Page, school: School, answers: list[Response], at: str
) -> None:
    page.goto(school.sign_in("lesson-1", school.player(at, f"{school.media}/lesson-1/master.m3u8")))
    page.evaluate("video.playbackRate = 4; video.play()")
    page.wait_for_function("video.ended || fatal")
    assert page.evaluate("fatal") is None
    assert page.evaluate("video.currentTime") == pytest.approx(SEGMENTS, abs=0.2)
    names = [urlsplit(answer.url).path.removeprefix("/lesson-1/") for answer in answers]
    assert names[0] == "master.m3u8"
    assert {name[-6:] for name in names if name.endswith(".ts")} == {f"{n:03}.ts" for n in range(SEGMENTS)}
    for answer, name in zip(answers, names, strict=True):
        assert (answer.status, answer.body()) == (200, (school.lessons / name).read_bytes()), name


@pytest.mark.parametrize(("at", "code"), [("site", 0), ("distribution", 403)])
def test_a_stream_without_cookies_is_refused(
    page: Page, school: School, statuses: Statuses, at: str, code: int
) -> None:
    """The edge's refusals have no CORS headers, so a page of another origin cannot see their status."""
    page.goto(school.player(at, f"{school.media}/lesson-1/master.m3u8"))
    page.wait_for_function("fatal")
    assert page.evaluate("fatal") == {"type": "networkError", "details": "manifestLoadError", "code": code}
    assert statuses.take(1) == [403]


def test_a_signed_url_opens_the_playlist_and_not_what_stands_in_it(
    page: Page, school: School, answers: list[Response]
) -> None:
    signed = school.signer.sign_url(f"{school.media}/lesson-1/master.m3u8", expires=timedelta(hours=2))
    page.goto(school.player("distribution", signed))
    page.wait_for_function("fatal")
    assert page.evaluate("[fatal.type, fatal.code]") == ["networkError", 403]
    assert answers[0].status == 200
    assert {answer.status for answer in answers[1:]} == {403}
