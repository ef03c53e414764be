"""Find the signed link in a pasted text, and undo what mail programs, chats and shells did to it.

A link reaches people through programs that change it. `read` returns the link as the signer made it, what was undone,
and what a browser would send for the text as it was pasted.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from keyfront.core.credentials import credentials
from keyfront.explain.inputs import redirectors
from keyfront.explain.inputs.repairs import INNER, OUTER, SIGNING, references
from keyfront.explain.pasted_link import PastedLink, Repair
from keyfront.explain.short_links import is_short

_SCHEME = re.compile(r"https?:[/\\]", re.IGNORECASE)
_DEFANGED = re.compile(r"^hxxp(?=s?:)", re.IGNORECASE)
_NO_COLON = re.compile(r"^(https?)(?::(?=[^/\\])|//|/{1,2})", re.IGNORECASE)
_HOST = re.compile(r"^(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)+[a-z][a-z0-9-]+(?::\d+)?(?=[/?]|$)", re.IGNORECASE)
_S3_URI = re.compile(r"^s3://([^/?]+)(/[^?]*)?", re.IGNORECASE)
_OTHER_SCHEME = re.compile(r"^([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_MARKUP: Final = (
    re.compile(r"\b(?:href|src)\s*=\s*(?:3D)?([\"'])(?P<link>.*?)\1", re.IGNORECASE | re.DOTALL),  # HTML
    re.compile(r"\]\(\s*<?(?P<link>https?:.*?)>?\s*\)\s*$", re.IGNORECASE | re.DOTALL),  # Markdown
    re.compile(r"<(?P<link>https?:[^<>|]*)\|[^<>]*>", re.IGNORECASE),  # Slack
    re.compile(r"\[[^\[\]|]*\|(?P<link>https?:[^\]|]*)(?:\|[^\]]*)?\]", re.IGNORECASE),  # Jira
    re.compile(r"\[url(?:=\"?|\])(?P<link>https?:[^\]\"\[]*)", re.IGNORECASE),  # BBCode
)
_REFERENCES: Final = {"quot": '"', "lt": "<", "gt": ">", "apos": "'", "#39": "'", "#34": '"'}
_REFERENCE = re.compile(rf"&({'|'.join(_REFERENCES)});", re.IGNORECASE)
"""HTML's character references for what stands around a link, and never in it."""
_REQUEST = re.compile(r"(?:GET|HEAD|OPTIONS|POST|PUT) (\S+) HTTP/[0-9.]+\b")
_HOST_HEADER = re.compile(r"^host: *([^\s/]+)", re.IGNORECASE | re.MULTILINE)
_SPACED_SCHEME = re.compile(r"^(https?)(?:\s+:\s*/\s*/|:\s+/\s*/|:/\s+/|://\s+)\s*", re.IGNORECASE)
_WORDS = re.compile(
    r"(https?:\S*[?&]Key-Pair-Id=(?:K[A-Z0-9]{13}|APKA[A-Z0-9]{16})[^\s&]{0,3})\s+(?=[^\s&]).*", re.DOTALL
)
_CLOSING: Final = {
    "<": ">",
    "(": ")",
    "[": "]",
    "{": "}",
    '"': '"',
    "'": "'",
    "`": "`",
    "“": "”",
    "«": "»",
    "*": "*",
    "_": "_",
}
_SPACE: Final = " \t\r\n\v\f\u00a0\ufeff"
_STAND_IN: Final = "host.invalid"
"""Stands for the host of a link without one."""
_MOST_ROUNDS: Final = 12
_LONGEST: Final = 65_536
_NO_LINK: Final = "there is no link in it"


def read(text: str, hosts: Sequence[str] = ()) -> PastedLink:
    """Return the link in `text`. Every text gives one; `PastedLink.lost` says if there is no link in it.

    `hosts` are names of the distribution. The first one stands for the host of a link without one, such as a path.
    """
    repairs: list[Repair] = []
    found = _found(text[:_LONGEST].strip(_SPACE), repairs)
    sent = _as_browsers_send(found)
    whole, lost = _whole(_mended(found, hosts, repairs), next(iter(hosts), ""), repairs)
    url, behind = _without_fragment(whole, repairs)
    if not lost and not SIGNING.search(url) and is_short(_host_of(url.partition("://")[2]).lower()):
        lost = "this is a short link, which only its own service can resolve: open it, and paste where it leads"
    return PastedLink(
        url=url,
        sent=sent,
        repairs=tuple(dict.fromkeys(repairs)),
        harmless=not behind and not lost and _same_request(sent, url),
        lost=lost,
    )


def _found(text: str, repairs: list[Repair]) -> str:
    """Return the link in a text around it: a sentence, HTML, Markdown, a request, or brackets and quotes."""
    for pattern in _MARKUP:
        marked = pattern.search(text)
        if marked is not None and SIGNING.search(marked["link"]):
            repairs.append(Repair("url-not-as-sent", "markup stood around the link"))
            return references(marked["link"]).strip(_SPACE)
    text = _REFERENCE.sub(lambda found: _REFERENCES[found[1].lower()], text)
    while len(text) > 1 and _CLOSING.get(text[0]) == text[-1] and (text[-1] in ")*_" or text[-1] not in text[1:-1]):
        text = text[1:-1].strip(_SPACE)
    if asked := _REQUEST.match(text):
        repairs.append(Repair("url-not-as-sent", "it was a whole request, not a link"))
        host = _HOST_HEADER.search(text)
        return f"https://{host[1]}{asked[1]}" if host and asked[1].startswith("/") else asked[1]
    bare = _SPACED_SCHEME.sub(r"\1://", text)
    if bare != text:
        repairs.append(Repair("url-not-as-sent", "a space was in it"))
    plain = _DEFANGED.sub("http", bare)
    if plain != bare:
        repairs.append(Repair("url-not-as-sent", "hxxp stood for http"))
    start = _SCHEME.search(plain)
    if start is None or start.start() == 0:
        return _without_words(plain, repairs)
    before = plain[: start.start()]
    if re.search(r"[?=]", before) and _HOST.match(before):
        return plain  # The outer link has no scheme: `example.com/go?url=https://…`.
    link = _up_to_the_closing(plain[start.start() :], before.rstrip(_SPACE)[-1:])
    if before.strip(_SPACE + "".join(_CLOSING)):
        repairs.append(Repair("url-not-as-sent", "other text stood before the link"))
    return _without_words(link, repairs)


def _up_to_the_closing(text: str, opening: str) -> str:
    """Return `text` up to the bracket or quote that closes `opening`, which is no part of a link and is never sent."""
    closing = _CLOSING.get(opening, "")
    if not closing or closing not in text:
        return text
    # A signature may have * and _ in it, but a link for people ends before white space.
    after = r"[*_]*(?:\s|$)" if closing in "*_" else r"[\s,;.:)\]>}\"'\[]|$"
    ends = re.search(rf"{re.escape(closing)}(?={after})", text)
    return text[: ends.start() if ends else text.rindex(closing)].rstrip(_SPACE)


def _without_words(text: str, repairs: list[Repair]) -> str:
    """Return a link without the words of a sentence after it."""
    if found := _WORDS.match(text):
        repairs.append(Repair("url-not-as-sent", "other text stood after the link"))
        return found[1]
    return text


def _mended(text: str, hosts: Sequence[str], repairs: list[Repair]) -> str:
    """Return the link with every repair made, and taken out of the links that contain it."""

    def keep(host: str) -> bool:
        bare = host.partition(":")[0]
        return bare.endswith(".cloudfront.net") or bare in hosts

    # A link is mended only when no other link is around it: its own separators are encoded until then.
    outside = (*OUTER, lambda link: redirectors.inner(link, keep))
    for _ in range(_MOST_ROUNDS):
        before = text
        text = _until_it_stays(text, outside, repairs)
        text = _once(text, INNER, repairs)
        if text == before:
            break
    return text


_Steps = Iterable[Callable[[str], tuple[str, Repair | None]]]


def _until_it_stays(text: str, steps: _Steps, repairs: list[Repair]) -> str:
    steps = tuple(steps)
    for _ in range(_MOST_ROUNDS):
        before = text
        text = _once(text, steps, repairs)
        if text == before:
            break
    return text


def _once(text: str, steps: _Steps, repairs: list[Repair]) -> str:
    for step in steps:
        text, repair = step(text)
        if repair is not None:
            repairs.append(repair)
    return text


def _whole(text: str, host: str, repairs: list[Repair]) -> tuple[str, str]:
    """Return `text` as a whole URL, and what is missing from it."""
    colonless = _NO_COLON.sub(lambda found: f"{found[1]}://", text, count=1)
    if not _SCHEME.match(text) and colonless != text:
        repairs.append(Repair("url-not-as-sent", "the :// after http or https was incomplete"))
        text = colonless
    if found := re.match(r"(https?):[/\\]+", text, re.IGNORECASE):
        rest = text[found.end() :]
        if re.match(r"https?:?/", rest, re.IGNORECASE):
            repairs.append(Repair("url-not-as-sent", "http or https stood there twice"))
            return _whole(rest, host, repairs)
        if found[0][len(found[1]) :] != "://":
            repairs.append(Repair("url-not-as-sent", f"{found[0]} stood for {found[1]}://"))
        return f"{found[1].lower()}://{rest}", "" if _host_of(rest) else "the link has no host"
    if found := _S3_URI.match(text):
        repairs.append(Repair("url-not-as-sent", "s3:// is an address for the tools of S3, not for viewers"))
        return f"https://{found[1]}.s3.amazonaws.com{found[2] or '/'}", ""
    if found := _OTHER_SCHEME.match(text):
        repairs.append(
            Repair("url-not-as-sent", f"it begins with {found[1].lower()}://, which CloudFront does not serve")
        )
        return f"https://{text[found.end() :]}", f"a link begins with https://, not with {found[1].lower()}://"
    if _HOST.match(text.lstrip("/")):
        repairs.append(Repair("url-not-as-sent", "https:// was missing before the host"))
        return f"https://{text.lstrip('/')}", ""
    if text.startswith("/") or SIGNING.search(text):
        repairs.append(Repair("url-not-as-sent", "the link has no host"))
        path = text if text.startswith("/") else f"/{'' if '?' in text else '?'}{text.lstrip('&?')}"
        return f"https://{host or _STAND_IN}{path}", "" if host else "the link has no host"
    return f"https://{host or _STAND_IN}/", _NO_LINK


def _host_of(rest: str) -> str:
    return re.split(r"[/?#\\]", rest, maxsplit=1)[0]


def _without_fragment(url: str, repairs: list[Repair]) -> tuple[str, bool]:
    """Return `url` without its fragment, and whether signing parameters were behind the #.

    Then the # was part of the path, or the link was put behind the # of a page. It is encoded here, since no viewer
    sends what follows a bare #.
    """
    sent, mark, fragment = url.partition("#")
    if not mark or not SIGNING.search(fragment):
        return sent, False
    text = "a bare # stands before the signing parameters, and viewers send nothing after a #"
    repairs.append(Repair("url-not-as-sent", text))
    if fragment.startswith("?") or "?" in sent:
        return sent + fragment.replace("?", "&" if "?" in sent else "?", 1), True
    return f"{sent}%23{fragment}", True


def _as_browsers_send(text: str) -> str:
    """Return the URL that a browser sends for `text` in its address bar; an empty text if that is not a link.

    Source: WHATWG URL standard: line ends and tabs are removed, white space around is cut, slashes are completed.
    """
    bare = re.sub(r"[\t\r\n]", "", text).strip(" ")
    found = re.match(r"(https?):[/\\]*", bare, re.IGNORECASE)
    if found is None:
        if _HOST.match(bare):
            return f"https://{bare.partition('#')[0]}"
        return ""
    return f"{found[1].lower()}://{bare[found.end() :].partition('#')[0]}"


def _same_request(sent: str, url: str) -> bool:
    """Return whether both URLs ask for the same, so that what was undone did no harm."""
    if not sent:
        return True  # Only a person can have typed the link out of this text.
    if _host_of(sent.partition("://")[2]) != _host_of(url.partition("://")[2]):
        return redirectors.arrives_whole(sent)
    return credentials(sent, "") == credentials(url, "")
