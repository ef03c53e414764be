"""Where the addresses of playlists and MPDs stand, what is signed of them, and what is left and why."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from keyfront import Signer, SigningKey
from keyfront.core.misuse import SigningWarning
from keyfront.core.urls import without_signing_parameters
from keyfront.errors import InputError
from keyfront.integrations.streams import sign_manifest, sign_stream, stream_cookies, unsigned

if TYPE_CHECKING:
    from keyfront.integrations.streams import SignedManifest

BASE = "https://media.example.com/film"
HOUR = timedelta(hours=1)
SIGNER = Signer("K2JCJMDEHXQW5F", SigningKey.generate("ecdsa"))


def hls(*lines: str) -> SignedManifest:
    return sign_manifest("\n".join(["#EXTM3U", *lines, ""]), f"{BASE}/index.m3u8", SIGNER, expires=HOUR)


def mpd(inside: str, attributes: str = "") -> SignedManifest:
    text = f'<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" {attributes}>{inside}</MPD>\n'
    return sign_manifest(text, f"{BASE}/manifest.mpd", SIGNER, expires=HOUR)


_ADDRESS = re.compile(r"^[^#]|URI=")
# What stands in a playlist, and where each of its addresses leads.
PLAYLISTS = {
    "segments": (["#EXTINF:4,", "001.ts", '#EXTINF:4,a title, URI="no.ts"', "deep/002.ts"], ["001.ts", "deep/002.ts"]),
    "variants": (["#EXT-X-STREAM-INF:BANDWIDTH=1", "low/index.m3u8"], ["low/index.m3u8"]),
    "renditions": (['#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="de",URI="de/index.m3u8"'], ["de/index.m3u8"]),
    "frames": (['#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI="frames.m3u8"'], ["frames.m3u8"]),
    "a key": (['#EXT-X-KEY:METHOD=AES-128,URI="enc.key",IV=0x1', "1.ts"], ["enc.key", "1.ts"]),
    "a session's key": (['#EXT-X-SESSION-KEY:METHOD=AES-128,URI="enc.key"'], ["enc.key"]),
    "an initialisation": (['#EXT-X-MAP:URI="init.mp4",BYTERANGE="100@0"'], ["init.mp4"]),
    "byte ranges": (["#EXT-X-BYTERANGE:100@0", "all.ts", "#EXT-X-BYTERANGE:100@100", "all.ts"], ["all.ts"]),
    "low latency": (
        ['#EXT-X-PART:DURATION=1,URI="p1.mp4"', '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="p2.mp4"'],
        ["p1.mp4", "p2.mp4"],
    ),
    "a report": (['#EXT-X-RENDITION-REPORT:URI="../film/b.m3u8",LAST-MSN=1'], ["b.m3u8"]),
    "absolute": ([f"{BASE}/1.ts", "/film/2.ts", "//media.example.com/film/3.ts"], ["1.ts", "2.ts", "3.ts"]),
    "a query of its own": (["1.ts?track=2"], ["1.ts?track=2"]),
    "a signature from before": (["1.ts?Expires=1&Signature=a&Key-Pair-Id=b&t=1"], ["1.ts?t=1"]),
    "a variable": (['#EXT-X-DEFINE:NAME="d",VALUE="deep"', "{$d}/1.ts"], ["deep/1.ts"]),
    "a tag that nobody knows": (['#EXT-X-NEW:A=1,URI="new.bin"'], ["new.bin"]),
    "a byte order mark and returns": (["#EXTINF:4,\r", "1.ts\r"], ["1.ts"]),
}


@pytest.mark.parametrize(("lines", "leads"), PLAYLISTS.values(), ids=PLAYLISTS)
def test_every_address_of_a_playlist_is_signed_and_nothing_else_changes(lines: list[str], leads: list[str]) -> None:
    made = hls(*lines)
    assert list(made.signed) == [f"{BASE}/{each}" for each in leads]
    assert made.left == ()
    assert made.text.count("Signature=") == sum(
        "EXTINF" not in each and _ADDRESS.search(each) is not None for each in lines
    )
    assert made.content_type == "application/vnd.apple.mpegurl"
    bare = "\n".join(["#EXTM3U", *lines, ""])
    if "Signature" not in bare:
        assert unsigned(made.text, made.url) == bare


def representation(inside: str, before: str = "") -> str:
    return f'<Period>{before}<AdaptationSet><Representation id="v0">{inside}</Representation></AdaptationSet></Period>'


MPDS = {
    "a template": (
        representation('<SegmentTemplate media="$RepresentationID$/$Number%05d$.m4s" initialization="i.mp4"/>'),
        ["$RepresentationID$/$Number%05d$.m4s", "i.mp4"],
    ),
    "a list": (
        representation(
            '<SegmentList><Initialization sourceURL="i.mp4"/><SegmentURL media="1.m4s"/><SegmentURL/></SegmentList>'
        ),
        ["i.mp4", "1.m4s"],
    ),
    "a base of its own": (representation("<BaseURL>a.mp4</BaseURL>", "<BaseURL>deep/</BaseURL>"), ["deep/a.mp4"]),
    "an ampersand": (representation('<SegmentTemplate media="s.m4s?a=1&amp;b=2"/>'), ["s.m4s?a=1&b=2"]),
    "where it is fetched anew": ("<Location>manifest.mpd</Location><Period/>", ["manifest.mpd"]),
}


@pytest.mark.parametrize(("inside", "leads"), MPDS.values(), ids=MPDS)
def test_every_address_of_an_mpd_is_signed_and_nothing_else_changes(inside: str, leads: list[str]) -> None:
    made = mpd(inside)
    assert list(made.signed) == [f"{BASE}/{each}" for each in leads]
    assert made.left == ()
    assert inside in unsigned(made.text, made.url)
    assert "&Signature=" not in made.text.replace("&amp;Signature=", "")
    assert made.content_type == "application/dash+xml"


LEFT = {
    "another host": (["https://ads.example.net/1.ts"], "it is on another host, ads.example.net"),
    "another folder": (["../other/1.ts"], "the policy for https://media.example.com/film/\\* does not cover it"),
    "a climb out": (["/film/../other/1.ts"], "does not cover it"),
    "data": (['#EXT-X-KEY:METHOD=AES-128,URI="data:text/plain;base64,AAAA"'], "data: is not fetched over http"),
    "a licence": (['#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://asset"'], "skd: is not fetched over http"),
    "who knows where": (["/\\media.example.com/film/1.ts"], "players interpret .* in different ways"),
    "a variable that nobody says": (["{$d}/1.ts"], r"does not define \{\$d\}"),
}


@pytest.mark.parametrize(("lines", "reason"), LEFT.values(), ids=LEFT)
def test_what_the_policy_does_not_open_gets_no_signature_and_says_why(lines: list[str], reason: str) -> None:
    made = hls("1.ts", *lines)
    (left,) = made.left
    assert re.search(reason, left.reason)
    assert made.text.count("Signature=") == 1


def test_a_manifest_that_leads_out_altogether_warns() -> None:
    with pytest.warns(SigningWarning, match="covers no address in .*: give another resource="):
        hls("https://cdn.example.net/1.ts")


def test_a_signature_that_ends_before_the_stream_does_warns() -> None:
    with pytest.warns(
        SigningWarning, match=r"expires in 0:59:59|expires in 1:00:00, before the stream ends \(2:00:00\)"
    ):
        made = hls("#EXT-X-TARGETDURATION:7200", "#EXTINF:7200,", "1.ts", "#EXT-X-ENDLIST")
    assert made.length == 7200
    with pytest.warns(SigningWarning, match=r"before the stream ends \(1:30:00\)"):
        assert mpd("<Period/>", 'type="static" mediaPresentationDuration="PT1H30M"').length == 5400


@pytest.mark.parametrize(
    ("lines", "seconds"),
    [
        (["#EXTINF:9.5,", "1.ts", "#EXTINF: .5", "2.ts", "#EXT-X-ENDLIST"], 10.0),
        (["#EXTINF:9,a title, with #EXTINF:7", "#EXT-X-BYTERANGE:10@0", "1.ts", "#EXT-X-ENDLIST"], 9.0),
        (["#EXTINF:9,", "#EXTINF:4,", "1.ts", "", "# 2.ts", "#EXT-X-ENDLIST"], 4.0),
        (["#EXT-X-ENDLIST"], 0.0),
        (["#EXTINF:9,", "1.ts"], None),
        (["#EXTINF:long,", "1.ts", "#EXT-X-ENDLIST"], None),
        (["#EXT-X-STREAM-INF:BANDWIDTH=1", "low.m3u8", "#EXT-X-ENDLIST"], None),
    ],
)
def test_a_playlist_lasts_as_long_as_its_segments(lines: list[str], seconds: float | None) -> None:
    for end in ("", "\r"):
        assert hls(*(f"{line}{end}" for line in lines)).length == seconds


@pytest.mark.parametrize(
    ("inside", "attributes", "seconds"),
    [
        ('<Period duration="PT1S"/>', 'mediaPresentationDuration="P1DT0H1M0.5S"', 86_460.5),
        ('<Period duration="PT60S"/><Period duration="PT1M"/>', "", 120.0),
        ('<Period/><Period start="PT1H" duration="PT1M"/>', "", 3660.0),
        ('<Period duration="PT60S"/><Period/>', "", None),
        ('<Period/><Period duration="PT1M"/>', "", None),
        ('<Period duration="PT1M"/>', 'mediaPresentationDuration="an hour"', 60.0),
        ('<Period duration="PT1M"/>', 'type="dynamic" mediaPresentationDuration="PT1H"', None),
        ('<EventStream><Period duration="PT1M"/></EventStream>', "", None),
        ("", "", None),
    ],
)
def test_an_mpd_lasts_as_long_as_it_or_its_periods_say(inside: str, attributes: str, seconds: float | None) -> None:
    assert mpd(inside, attributes).length == seconds


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("hello", "is not a manifest: a playlist begins with #EXTM3U, an MPD with <; it begins with 'hello'"),
        ("<html/>", "first element is html: an MPD begins with MPD"),
        ("<MPD>", "is not well-formed XML"),
        ('<!DOCTYPE MPD [<!ENTITY a "b">]><MPD/>', "has a document type"),
        ("<MPD>" + "<a>" * 100, "nested more than 64 levels deep"),
    ],
)
def test_a_text_that_is_no_manifest_is_told(text: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        sign_manifest(text, f"{BASE}/index.m3u8", SIGNER, expires=HOUR)


def test_a_stream_has_one_signature_for_all_its_playlists_and_a_loop_ends() -> None:
    files = {
        f"{BASE}/master.m3u8": "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow/index.m3u8\n",
        f"{BASE}/low/index.m3u8": "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n../master.m3u8\n#EXTINF:1,\n1.ts\n",
    }
    asked: list[str] = []

    def read_text(url: str) -> str:
        asked.append(url)
        return files[url]

    made = sign_stream(f"{BASE}/master.m3u8?Signature=old", SIGNER, read_text=read_text, expires=HOUR)
    assert asked == list(files) == list(made.manifests)
    queries = {
        line.partition("?")[2] for each in made.manifests.values() for line in each.text.split() if "Signature=" in line
    }
    assert queries == {made.url.partition("?")[2]}
    assert without_signing_parameters(queries.pop()) == ""


def test_cookies_open_a_stream_whose_manifest_stays_as_it_is() -> None:
    text = "#EXTM3U\n#EXTINF:4,\n1.ts\nhttps://ads.example.net/2.ts\n"
    made = stream_cookies(text, f"{BASE}/index.m3u8", SIGNER, expires=HOUR)
    assert made.text == text
    assert made.resource == f"{BASE}/*"
    assert sorted(made.cookies) == ["CloudFront-Key-Pair-Id", "CloudFront-Policy", "CloudFront-Signature"]
    assert [each.uri for each in made.left] == ["https://ads.example.net/2.ts"]


def test_a_file_is_read_byte_for_byte_and_not_changed(tmp_path: Path) -> None:
    text = "#EXTM3U\r\n#EXTINF:4,\r\n001.ts\r\n#EXT-X-ENDLIST\r\n"
    file = tmp_path / "index.m3u8"
    file.write_bytes(text.encode())
    url = f"{BASE}/index.m3u8"
    assert sign_manifest(file, url, SIGNER, expires=HOUR).signed == (f"{BASE}/001.ts",)
    assert sign_manifest(file, url, SIGNER, expires=HOUR).text.count("\r\n") == 4
    assert stream_cookies(file, url, SIGNER, expires=HOUR).text == text
    assert file.read_bytes() == text.encode()


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        (Path("missing.m3u8"), r"the manifest missing\.m3u8 cannot be read: No such file or directory"),
        (Path(), r"the manifest \. cannot be read: Is a directory"),
        (Path("binary.ts"), r"the manifest binary\.ts is not text in UTF-8"),
        (b"#EXTM3U", "the manifest is a bytes: give its text, or the Path of its file"),
        ("index.m3u8", r"it begins with 'index\.m3u8'; for a file give Path"),
    ],
)
def test_what_is_not_a_manifest_says_what_to_give(
    source: object, complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "binary.ts").write_bytes(b"G\xff\xfe")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=complaint):
        sign_manifest(source, f"{BASE}/index.m3u8", SIGNER, expires=HOUR)  # type: ignore[arg-type]
