"""Links of real threads, as mail programs, chats, shells, redirects and image proxies change them."""

import base64
import html
import json
import quopri
import random
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from keyfront.core import encoding
from keyfront.core.credentials import credentials
from keyfront.core.verification import ViewerRequest
from keyfront.explain import Budget, explain
from keyfront.explain.inputs.links import read
from keyfront.explain.pasted_link import is_as_made

Change = Callable[[str], str]

CHANGED = {"url-not-as-sent", "html-escaped-ampersand", "key-pair-id-of-another-kind"}


def _once_more(link: str) -> str:
    return quote(link, safe="")


def _proofpoint(link: str) -> str:
    signs = {"/": "_"}
    return "".join(
        sign if (sign.isalnum() and sign.isascii()) or sign == "." else signs.get(sign, f"-{ord(sign):02X}")
        for sign in link
    )


def _wrapped(link: str, width: int, between: str) -> str:
    return between.join(link[at : at + width] for at in range(0, len(link), width))


HARMFUL: Mapping[str, Change] = {
    "a bracket after it": lambda link: f"{link})",
    "a full stop after it": lambda link: f"{link}.",
    "a comma and a space after it": lambda link: f"{link}, ",
    "> after it": lambda link: f"{link}>",
    "a bracket and a full stop": lambda link: f"{link}).",
    "a quotation mark after it": lambda link: f'{link}"',
    "a typographic quotation mark": lambda link: f"{link}\u201d",
    "a zero-width space after it": lambda link: f"{link}\u200b",
    "an encoded zero-width space after it": lambda link: f"{link}%E2%80%8B",
    "a zero-width space inside": lambda link: link.replace("Signature=", "Signature=\u200b"),
    "&amp;": lambda link: link.replace("&", "&amp;"),
    "&amp;amp;": lambda link: link.replace("&", "&amp;amp;"),
    "&#38;": lambda link: link.replace("&", "&#38;"),
    "quoted-printable": lambda link: quopri.encodestring(link.encode()).decode(),
    "=3D": lambda link: link.replace("=", "=3D"),
    "JSON's \\u0026": lambda link: link.replace("&", "\\u0026"),
    "a JSON string with \\/": lambda link: json.dumps(link).replace("/", "\\/").strip('"'),
    "a shell's escapes": lambda link: link.replace("&", "\\&").replace("?", "\\?"),
    "cmd's escapes": lambda link: link.replace("&", "^&"),
    "quoted lines of a reply": lambda link: "> " + _wrapped(link, 72, "\n> "),
    "indented lines": lambda link: _wrapped(link, 72, "\r\n    "),
    "the ? encoded": lambda link: link.replace("?", "%3F", 1),
    "every separator encoded": lambda link: link.replace("?", "%3F").replace("&", "%26").replace("=", "%3D"),
    "& for the ?": lambda link: link.replace("?", "&", 1),
    "; for &": lambda link: link.replace("&", ";"),
    "an encoded line break": lambda link: link.replace("Signature=", "Signature=%0A"),
    "three dots after it": lambda link: f"{link}…",
    "a tag after it": lambda link: f"{link}<br>",
    "pasted twice": lambda link: f"{link}{link}",
    "put into a redirect as it is": lambda link: f"https://www.example.org/go?to={link}",
    "a # before the parameters": lambda link: link.replace("?", "#?", 1),
}
HARMLESS: Mapping[str, Change] = {
    "white space around it": lambda link: f"\n  {link} \r\n",
    "angle brackets": lambda link: f"<{link}>",
    "round brackets": lambda link: f"({link})",
    "quotation marks": lambda link: f'"{link}"',
    "a sentence": lambda link: f"Your file is at {link} until tomorrow.",
    "a link of Markdown": lambda link: f"[the film]({link})",
    "Markdown's bold": lambda link: f"**{link}**",
    "a link of Jira": lambda link: f"[the film|{link}]",
    "a link of BBCode": lambda link: f"[url={link}]the film[/url]",
    "a link of Org mode": lambda link: f"[[{link}][the film]]",
    "LaTeX": lambda link: f"\\url{{{link}}}",
    "a printed value": lambda link: f'Optional("{link}")',
    "a command": lambda link: f"curl -sS '{link}' -H 'Accept: */*' -o 'film.mp4'",
    "a setting": lambda link: f'  "url": "{link}",',
    "a request": lambda link: (
        f"GET /{link.partition('://')[2].partition('/')[2]} HTTP/1.1\r\n"
        f"Host: {link.partition('://')[2].partition('/')[0]}\r\nAccept: */*\r\n"
    ),
    "a space after the protocol": lambda link: link.replace("://", ": //"),
    "Discord's image proxy": lambda link: (
        f"https://images-ext-1.discordapp.net/external/abc_-d/{_once_more(link[link.index('?') :])}"
        f"/https/{link.partition('://')[2].partition('?')[0]}"
    ),
    "HTML": lambda link: f'<p><a class="x" href="{html.escape(link)}">the film</a></p>',
    "a message of Slack's": lambda link: f"<{link.replace('&', '&amp;')}|the film>",
    "a line break": lambda link: _wrapped(link, 120, "\n"),
    "one slash": lambda link: link.replace("://", ":/"),
    "three slashes": lambda link: link.replace("://", ":///"),
    "no protocol": lambda link: link.partition("://")[2],
    "no protocol, with slashes": lambda link: link[link.index("//") :],
    "the protocol twice": lambda link: f"https://{link}",
    "encoded once more": _once_more,
    "encoded twice more": lambda link: _once_more(_once_more(link)),
    "Outlook's safe links": lambda link: (
        f"https://eur01.safelinks.protection.outlook.com/?url={_once_more(link)}&data=05%7C02&sdata=a%3D&reserved=0"
    ),
    "Google's redirect": lambda link: f"https://www.google.com/url?q={_once_more(link)}&sa=D&source=docs",
    "Facebook's redirect": lambda link: f"https://l.facebook.com/l.php?u={_once_more(link)}&h=AT0",
    "Proofpoint, version 2": lambda link: f"https://urldefense.proofpoint.com/v2/url?u={_proofpoint(link)}&d=Dw&c=x",
    "Proofpoint, version 3": lambda link: f"https://urldefense.com/v3/__{link}__;!!abc$",
    "Cisco": lambda link: f"https://secure-web.cisco.com/1abcDEF/{_once_more(link)}",
    "SES's click counter": lambda link: (
        f"https://abc.r.us-east-1.awstrack.me/L0/{_once_more(link).replace('%3A', ':', 1)}/1/0100/x=1"
    ),
    "Sophos": lambda link: (
        f"https://eu.protection.sophos.com/?d=example.com&u={base64.b64encode(link.encode()).decode().rstrip('=')}&i=x"
    ),
    "Google's image proxy": lambda link: f"https://ci3.googleusercontent.com/proxy/AAA=s0-d-e1-ft#{link}",
    "GitHub's image proxy": lambda link: f"https://camo.githubusercontent.com/{'0' * 64}/{link.encode().hex()}",
    "an image proxy without the protocol": lambda link: (
        f"https://images.weserv.nl/?url={_once_more(link.partition('://')[2])}&w=100"
    ),
    "an image service of a framework": lambda link: (
        f"https://shop.example.org/_next/image?url={_once_more(link)}&w=640&q=75"
    ),
    "an archive": lambda link: f"https://web.archive.org/web/2026/{link}",
    "a redirect that encodes twice": lambda link: f"https://www.example.org/go?to={_once_more(_once_more(link))}",
}
CHANGES = [*((name, change, False) for name, change in HARMFUL.items()), *((n, c, True) for n, c in HARMLESS.items())]

_THREADS = [
    case
    for case in tomllib.loads((Path(__file__).parent / "corpus" / "reports.toml").read_text("utf-8"))["case"]
    if case["expect"] not in ("s3-was-asked", "key-pair-id-missing", "url-not-as-sent")
    and case.get("form", "url") == "url" and "response" not in case and "set" not in case and "id" not in case
    # A link in its final form: no space, no quotation mark, nothing that is encoded or standard base64.
    and not {"encode", "drop", "replace", "custom"} & case.keys() and case["url"].startswith("https://")
    and case["url"].isascii() and not set(" '\"()!*+%") & set(case["url"])
]  # fmt: skip


def _explained(bench: Any, case: Mapping[str, Any], change: Change) -> tuple[Any, Any, str]:
    arguments = bench.arguments(case)
    url = arguments["request"].url
    link = read(change(url))
    request = replace(arguments["request"], url=link.url)
    return explain(**(arguments | {"request": request, "pasted": link, "budget": Budget(tries=500)})), link, url


def test_links_of_threads_are_explained_through_every_change(bench: Any) -> None:
    """Each kind of change meets some of the threads. What is wrong beside it is found as without the change."""
    draw = random.Random(16)
    wrong = []
    for name, change, harmless in CHANGES:
        for case in draw.sample(_THREADS, 3):
            report, link, url = _explained(bench, case, change)
            ids = [each.id for each in report.findings if each.severity == "error"]
            own = ids if harmless else ids[1:]
            changed = ids[:1] and ids[0] in CHANGED
            if link.url != url or harmless != (not changed) or own[:1] != [case["expect"]]:
                wrong.append((name, case["name"], ids, link))
    assert len(_THREADS) >= 15
    assert wrong == []


@pytest.mark.parametrize(
    ("change", "harmless", "key"),
    [(change, harmless, ("rsa", "ecdsa")[at % 2]) for at, (_, change, harmless) in enumerate(CHANGES)],
    ids=[each[0] for each in CHANGES],
)
def test_a_good_link_opens_again_without_the_change(bench: Any, key: str, change: Change, harmless: bool) -> None:
    case = {"url": "https://media.example.com/members/film.mp4", "key": key}
    report, link, url = _explained(bench, case, change)
    assert link.url == url
    assert link.harmless == harmless
    if harmless:
        assert report.verdict.outcome == "allowed"
        assert {each.severity for each in report.findings} <= {"warning"}
        return
    (first, *others) = (each for each in report.findings if each.severity == "error")
    assert first.id in CHANGED
    assert others == []
    assert report.verdict.outcome == "refused"
    assert report.verdict.answer.status == 403
    assert report.verdict.answer.code is not None
    assert "sign again" not in first.fix.lower()
    assert "no new signature" in first.fix or "Escape the URL exactly once" in first.fix
    signature = credentials(url, "")[0]["Signature"]
    assert signature not in json.dumps(report.to_json())


@pytest.mark.parametrize("end", ["...", "\u2026", "[...]"])
@pytest.mark.parametrize("at", ["Policy=", "Signature="])
def test_a_link_that_is_cut_off_is_told_before_what_it_lost(bench: Any, at: str, end: str) -> None:
    case = {"url": "https://media.example.com/members/film.mp4", "custom": True, "key": "rsa"}
    url = bench.arguments(case)["request"].url
    whole = url.index(at) + len(at) + 41
    for text in (url[:whole], url[:whole] + end):
        link = read(text)
        report = explain(**(bench.arguments(case) | {"request": ViewerRequest(link.url), "pasted": link}))
        assert [each.id for each in report.findings if each.severity == "error"] == ["signature-cut-off"]
        assert report.first is not None
        assert f"cut off inside {at[:-1]}" in report.first.title
        assert "no new signature" in report.first.fix


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("undefined", "there is no link in it"),
        ("Your file is ready", "there is no link in it"),
        ("https://bit.ly/3abc", "a short link"),
        ("/members/film.mp4?Expires=1790003600&Signature=abc&Key-Pair-Id=K2JCJMDEHXQW5F", "the link has no host"),
        ("Expires=1790003600&Signature=abc&Key-Pair-Id=K2JCJMDEHXQW5F", "the link has no host"),
        ("https:///", "the link has no host"),
        ("ftp://media.example.com/a?Expires=1&Signature=a&Key-Pair-Id=K2JCJMDEHXQW5F", "not with ftp://"),
        ("<>", "there is no link in it"),
        ("\u200b", "there is no link in it"),
    ],
)
def test_a_text_without_a_whole_link_is_no_reason_to_give_up(text: str, told: str) -> None:
    link = read(text)
    assert told in link.lost
    report = explain(ViewerRequest(link.url), now=1_790_000_000.0, trusted_keys={}, pasted=link)
    assert report.first is not None
    assert report.first.id == "url-not-as-sent"
    assert report.verdict.outcome == "unknown"
    assert report.verdict.missing


def test_the_hosts_of_the_distribution_are_no_redirects() -> None:
    inner = quote("https://media.example.com/a?Expires=1&Signature=a&Key-Pair-Id=K2JCJMDEHXQW5F", safe="")
    for host in ("d111111abcdef8.cloudfront.net", "files.example.com"):
        url = f"https://{host}/fetch?url={inner}&Expires=2&Signature=b&Key-Pair-Id=K2JCJMDEHXQW5F"
        assert read(url, ["files.example.com"]).url == url


_TEXT = st.text(st.sampled_from("htps:/.?&=;%#@abcKE09-_~+ \n\t\\\"'<>()[]{}|^`\u200b\u2026\u2014\ud800é"), max_size=80)


@settings(max_examples=examples(200), deadline=None, derandomize=True, database=None)
@given(
    _TEXT, st.sampled_from(["", "https://a.example/b?Expires=1&Signature=", "https://x.example/?url=https%3A%2F%2F"])
)
def test_every_text_gives_a_link_and_a_report(text: str, before: str) -> None:
    link = read(before + text)
    assert link.url.startswith(("http://", "https://"))
    assert all(each.text.isprintable() for each in link.repairs)
    report = explain(ViewerRequest(link.url), now=1_790_000_000.0, trusted_keys={}, pasted=link)
    json.dumps(report.to_json())


_PARTS = st.text("abcXYZ019-_.~", min_size=1, max_size=6)
_VALUES = st.one_of(
    _PARTS,
    st.sampled_from(
        ["3D", "a%20b", "%E2%80%93", "https%3A%2F%2Fx.example%2Fa%3Fb%3D1%26c", "x@y.example", "1;2", "(1)", "a+b"]
    ),
)
_SIGNATURES = st.tuples(st.sampled_from(["", "3D", "26", "--", "~~", "__"]), st.binary(min_size=256, max_size=256)).map(
    lambda pair: pair[0] + encoding.encode(pair[1])[len(pair[0]) :]
)


@settings(max_examples=examples(200), deadline=None, derandomize=True, database=None)
@given(
    st.lists(
        st.one_of(_PARTS, st.sampled_from(["a%2Fb", "%20", "Film (1)", "a,b", "a=b", "a&b"])), min_size=1, max_size=3
    ),
    st.lists(st.tuples(_PARTS, _VALUES), max_size=3),
    _SIGNATURES,
    st.booleans(),
    st.booleans(),
)
def test_a_good_link_is_never_changed(
    path: list[str], own: list[tuple[str, str]], signature: str, first: bool, custom: bool
) -> None:
    terms = encoding.encode(b'{"Statement":[]}') if custom else "1790003600"
    signing = [("Policy" if custom else "Expires", terms), ("Signature", signature), ("Key-Pair-Id", "K2JCJMDEHXQW5F")]
    parts = [*own, *signing] if first else [*signing, *own]
    query = "&".join(f"{name}={value}" for name, value in parts)
    url = f"https://media.example.com/{'/'.join(path)}?{query}"
    link = read(url)
    assert link.url == url
    assert link.harmless
    assert link.repairs == ()


def test_a_link_as_it_was_made_needs_no_repair(bench: Any) -> None:
    for custom in (True, False):
        case = {"url": "https://media.example.com/members/film.mp4?v=2", "custom": custom}
        url = bench.arguments(case)["request"].url
        assert is_as_made(url)
        assert read(url).url == url
        assert read(url).repairs == ()
        for _, change, _ in CHANGES:
            assert not is_as_made(change(url))
