"""Undo the changes that programs make to the characters of a link, one function for each kind of change.

Each function takes a text with a link and returns it without the change, and a `Repair` if there was one. They change
only what can be no part of a link that a signer made. Sources: RFC 2045 (quoted-printable), HTML's character
references, JSON's and shells' escapes, Markdown; public bug reports.
"""

import re
from typing import Final
from urllib.parse import unquote

from keyfront.core.urls import SIGNING_PARAMETERS
from keyfront.explain.base64_readings import strict
from keyfront.explain.pasted_link import Repair

_NAMES: Final = "|".join(sorted(SIGNING_PARAMETERS))
SIGNING = re.compile(rf"(?:[?&;]|%3F|%26|^)(?:amp;)?(?:{_NAMES})(?:=|%3D)", re.IGNORECASE)
"""A signing parameter in a text, percent-encoded or not."""

_NOT_AS_SENT: Final = "url-not-as-sent"
_INVISIBLE = re.compile(
    "[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
    "|%E2%80%8[B-F]|%E2%81%A0|%EF%BB%BF|%C2%AD|%E2%80%A[A-E]",
    re.IGNORECASE,
)
# A signature may begin with 3D, but no other value can.
_QUOTED = re.compile(r"[?&](?:amp;)?(?:Expires|Policy|Key-Pair-Id)=3D", re.IGNORECASE)
_PLAIN = re.compile(r"[?&](?:amp;)?(?:Expires|Policy|Key-Pair-Id)=(?!3D)", re.IGNORECASE)
_QUOTED_NAME = re.compile(rf"([?&](?:amp;)?(?:{_NAMES}))=3D", re.IGNORECASE)
_QUOTED_WRAPPER = re.compile(r"[?&][\w.-]{1,40}=3D", re.IGNORECASE)
_PLAIN_WRAPPER = re.compile(r"[?&][\w.-]{1,40}=(?!3D|\r?\n)", re.IGNORECASE)
_QUOTED_SIGNS = re.compile(r"=(3D|26|3F|5F|7E|2D|2E|2F|3A|25)", re.IGNORECASE)
_SOFT_BREAK = re.compile(r"=[ \t]*\r?\n[>| \t]*")
_UNQUOTED = re.compile(rf"((?:{_NAMES}))([\x0e-\x1f\x7f-\xff])")
_REFERENCES: Final = {
    **dict.fromkeys(("amp", "#38", "#038", "#x26"), "&"),
    **dict.fromkeys(("equals", "#61", "#x3d"), "="),
    **dict.fromkeys(("#47", "#x2f", "sol"), "/"),
    **dict.fromkeys(("#126", "#x7e"), "~"),
    **dict.fromkeys(("lowbar", "#95", "#x5f"), "_"),
}
_REFERENCE = re.compile(rf"&({'|'.join(_REFERENCES)});", re.IGNORECASE)
_ENCODED_AMP = re.compile(rf"(?:%26|&)amp(?:;|%3B)|&amp(?=(?:{_NAMES})=)", re.IGNORECASE)
_JSON = re.compile(r"\\(?:u(?![dD][89a-fA-F])([0-9a-fA-F]{4})|x([0-9a-fA-F]{2}))")
_BACKSLASH = re.compile(r"\\([&?=~!()'*_.#%+,;\-/\[\]])|\^(?=&)")
_BREAK = re.compile(r"[ \t]*(?:\r\n|\r|\n|\u2028|\u2029)[>| \t]*")
_ENCODED_BREAK = re.compile(r"(?:%0D|%0A|%09)+(?:%20)*|\\r\\n|\\n", re.IGNORECASE)
_VALUE = re.compile(r"([?&](?:Signature|Policy|Key-Pair-Id)=)([^&#]*)")
_SPACES = re.compile(r"(?:[ \t\u00a0]|%20|%C2%A0)+")
_DASHES: Final = {"\u2014": "--", "\u2013": "-", "\u2011": "-", "\u2010": "-", "\u2212": "-"}
_DASH = re.compile("[" + "".join(_DASHES) + "]|%E2%80%9[0-4]|%E2%88%92", re.IGNORECASE)
_COMPLETE_ID = re.compile(r"[?&]Key-Pair-Id=(?:K[A-Z0-9]{13}|APKA[A-Z0-9]{16})$")
_TAIL: Final = r"(?:[^A-Za-z0-9&#]|%[0-9A-Fa-f]{2})+"
_IN_ID = re.compile(rf"([?&]Key-Pair-Id=)([A-Za-z0-9][A-Za-z0-9-]*)(?<!-)({_TAIL}(?:(?<=[\s\[<])[^&#]*)?)(?=$|#)")
_IN_BASE64 = re.compile(
    r"([?&](?:Signature|Policy)=[A-Za-z0-9\-~_]+?_{0,2})((?:[^A-Za-z0-9\-~_&#=+/% ])[^A-Za-z0-9&#=+/]*)(?=$|#)"
)
_IN_NUMBER = re.compile(r"([?&](?:Expires=[0-9]+|Hash-Algorithm=SHA(?:1|256)))([^0-9A-Za-z&#]+)(?=$|#)")
_AGAIN = re.compile(r"([?&]Key-Pair-Id=[A-Z0-9]{10,})(https?://.*)$", re.DOTALL)
_MARK = re.compile("%3F", re.IGNORECASE)
_SIGNED = re.compile(r"[?&]Signature=[^&]*&(?:.*&)?Key-Pair-Id=|[?&]Key-Pair-Id=[^&]*&(?:.*&)?Signature=")
_AMPERSANDS = re.compile(rf"%26((?:{_NAMES})(?:=|%3D))", re.IGNORECASE)
_EQUALS = re.compile(rf"([?&](?:{_NAMES}))%3D", re.IGNORECASE)
_EVERY_SEPARATOR = re.compile("%3D|%26", re.IGNORECASE)
_SECOND_MARK = re.compile(rf"(\?[^#]*?)\?((?:{_NAMES})=)")
_FIRST_AMPERSAND = re.compile(rf"^([a-z]+:/+[^?#]*?)&((?:{_NAMES})=)", re.IGNORECASE)
_CONTINUED = re.compile(r"([?&]Key-Pair-Id=(?:K|APKA)[A-Z0-9]{9,})\?([\w.-]+=)")
_SEMICOLON = re.compile(rf";((?:{_NAMES})=)")
_CUT = re.compile(r"(?:\u2026|\.{3,}|\[\u2026\]|\[\.{3}\]|%E2%80%A6)$", re.IGNORECASE)
_DEFANGED_DOT = re.compile(r"[\[({]\.[\])}]|\[dot\]", re.IGNORECASE)


def _invisible(text: str) -> tuple[str, Repair | None]:
    path, mark, query = text.partition("?")
    # A name of a file may hold such characters, and is then signed with them.
    mended = _INVISIBLE.sub("", query)
    ends = path.strip("\u200b\u2060\ufeff\u00ad\u200e\u200f\u202a\u202c")
    bare = ends + mark + mended
    return bare, Repair(_NOT_AS_SENT, "an invisible character was in it") if bare != text else None


def _quoted_printable(text: str) -> tuple[str, Repair | None]:
    lines = text.strip().splitlines()
    # Without =3D, a line may also end with the = of a parameter.
    quoted = _QUOTED.search(text) or (_QUOTED_WRAPPER.search(text) and not _PLAIN_WRAPPER.search(text))
    soft = bool(quoted) or (len(lines) > 1 and all(line.rstrip().endswith("=") for line in lines[:-1]))
    mended = _SOFT_BREAK.sub("", text) if soft else text
    if quoted:
        mended = _QUOTED_NAME.sub(r"\1=", mended) if _PLAIN.search(mended) else _QUOTED_SIGNS.sub(_sign, mended)
        return mended, Repair(_NOT_AS_SENT, "=3D stood for = (quoted-printable, the form of a mail's source)")
    if mended != text:
        return mended, Repair(_NOT_AS_SENT, "a = at the end of a line broke it (quoted-printable, a mail's source)")
    mended = _UNQUOTED.sub(lambda found: f"{found[1]}={ord(found[2]):02X}", mended)
    if mended == text:
        return text, None
    return mended, Repair(_NOT_AS_SENT, "a mail program read a plain link as quoted-printable")


def _sign(found: re.Match[str]) -> str:
    return chr(int(found[1], 16))


def references(text: str) -> str:
    """Return `text` without HTML's character references for the signs that a link has."""
    text = _ENCODED_AMP.sub(lambda found: "%26" if found[0].startswith("%") else "&", text)
    return _REFERENCE.sub(lambda found: _REFERENCES[found[1].lower()], text)


def _html(text: str) -> tuple[str, Repair | None]:
    mended = references(text)
    return mended, Repair("html-escaped-ampersand", "&amp; stood for &") if mended != text else None


def _escapes(text: str) -> tuple[str, Repair | None]:
    mended = _JSON.sub(lambda found: chr(int(found[1] or found[2], 16)), text)
    if mended != text:
        return mended, Repair(_NOT_AS_SENT, "\\u0026 stood for & (JSON's escapes)")
    mended = _BACKSLASH.sub(lambda found: found[1] or "", text)
    return mended, Repair(_NOT_AS_SENT, "a shell's or Markdown's escapes were in it") if mended != text else None


def _breaks(text: str) -> tuple[str, Repair | None]:
    first, *rest = _BREAK.split(text)
    if rest:
        for part in rest:
            if _COMPLETE_ID.search(first) and not part.startswith("&"):
                return first, Repair(_NOT_AS_SENT, "other text stood after the link")
            first += part
        return first, Repair(_NOT_AS_SENT, "a line break was in it")
    mended = _VALUE.sub(lambda found: found[1] + _ENCODED_BREAK.sub("", found[2]), text)
    if mended != text:
        return mended, Repair(_NOT_AS_SENT, "a line break was in it")
    mended = _VALUE.sub(_without_spaces, text)
    return mended, Repair(_NOT_AS_SENT, "a space was in it") if mended != text else None


def _without_spaces(found: re.Match[str]) -> str:
    """Return a value without the spaces in it, if it is then whole. Otherwise a space may stand for a +."""
    bare = _SPACES.sub("", found[2])
    if bare == found[2] or found[2].startswith(bare):
        return found[0]  # Spaces at its end are cut with the rest that follows a link.
    data = strict(bare)
    whole = data is not None and (len(data) == 256 or data[:1] == b"{" or data[:1] == b"\x30")
    return found[1] + bare if whole or (found[1].endswith("Id=") and _COMPLETE_ID.search(found[1] + bare)) else found[0]


def _dashes(text: str) -> tuple[str, Repair | None]:
    mended = _VALUE.sub(lambda found: found[1] + _DASH.sub(_plain_dash, found[2]), text)
    return mended, Repair(_NOT_AS_SENT, "a typographic dash stood for -") if mended != text else None


def _plain_dash(found: re.Match[str]) -> str:
    return _DASHES.get(unquote(found[0]), "-")


def _separators(text: str) -> tuple[str, Repair | None]:
    """Undo what programs do to `?` and `&`: they encode them, or write one for the other."""
    mended = text
    if "?" not in text.partition("#")[0] and (at := _MARK.search(text)) and SIGNING.search(text, at.start()):
        mended = f"{text[: at.start()]}?{text[at.end() :]}"
    path, mark, query = mended.partition("?")
    if query and not re.search("[=&]", query) and SIGNING.search(mended):
        mended = path + mark + _EVERY_SEPARATOR.sub(lambda found: unquote(found[0]), query)
    elif not _SIGNED.search(mended):  # Otherwise they are in a parameter of a link that is signed itself.
        mended = _EQUALS.sub(r"\1=", _AMPERSANDS.sub(r"&\1", mended))
    if mended != text:
        return mended, Repair(_NOT_AS_SENT, "the ?, & or = between the parameters was percent-encoded")
    mended = _FIRST_AMPERSAND.sub(r"\1?\2", text)
    mended = _SECOND_MARK.sub(r"\1&\2", mended)
    if mended != text:
        return mended, Repair(_NOT_AS_SENT, "the query string began with the wrong sign: ? begins it, & continues it")
    mended = _CONTINUED.sub(r"\1&\2", text)
    if mended != text:
        return mended, Repair(_NOT_AS_SENT, "parameters were added to it with a second ?")
    mended = _SEMICOLON.sub(r"&\1", text)
    return mended, Repair(_NOT_AS_SENT, "; stood for &") if mended != text else None


def _ends(text: str) -> tuple[str, Repair | None]:
    """Cut what follows the link: the punctuation of a sentence, a bracket, a second link."""
    if found := _AGAIN.search(text):
        return text[: found.end(1)], Repair(_NOT_AS_SENT, "another link stood directly after it")
    found = _CUT.search(text)
    if found and not _COMPLETE_ID.search(text[: found.start()]):
        return text[: found.start()], Repair("signature-cut-off", f"it ends with {unquote(found[0])}")
    for pattern, finding in ((_IN_ID, "key-pair-id-of-another-kind"), (_IN_BASE64, ""), (_IN_NUMBER, "")):
        if found := pattern.search(text):
            tail = found[found.lastindex or 0]
            mended = text[: found.end() - len(tail)] + text[found.end() :]
            return mended, Repair(finding or _NOT_AS_SENT, f"{_shown(tail)} stood at its end")
    return text, None


def _shown(tail: str) -> str:
    """Return the characters after a link for a text, without any words of the person who pasted it."""
    plain = unquote(tail)
    if len(plain) <= 3 and not any(each.isalnum() for each in plain):
        shown = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in plain.strip())
        return shown or ("a line break" if "\n" in plain else "a space")
    return "other text"


def _padding(text: str) -> tuple[str, Repair | None]:
    """Restore the __ at the end of a value, which Markdown and chats take for bold text."""
    mended = _VALUE.sub(_padded, text)
    return mended, Repair(
        _NOT_AS_SENT, "the _ at the end of a value were lost (bold text in a chat)"
    ) if mended != text else None


def _padded(found: re.Match[str]) -> str:
    value = found[2]
    if "~" not in value or not re.fullmatch(r"[A-Za-z0-9~-]+", value) or len(value) % 4 in (0, 1):
        return found[0]
    padded = value + "_" * (-len(value) % 4)
    data = strict(padded)
    return found[1] + padded if data is not None and (len(data) == 256 or data[:1] in (b"{", b"\x30")) else found[0]


def _encoded_whole(text: str) -> tuple[str, Repair | None]:
    if not re.match(r"https?%(?:25)*3A", text, re.IGNORECASE):
        return text, None
    return unquote(text), Repair(_NOT_AS_SENT, "the whole link was percent-encoded once more")


def _defanged(text: str) -> tuple[str, Repair | None]:
    host, slash, _ = text.partition("://")[2].partition("/")
    mended = _DEFANGED_DOT.sub(".", host)
    if not slash or mended == host:
        return text, None
    return text.replace(host, mended, 1), Repair(_NOT_AS_SENT, "[.] stood for . in the host")


OUTER: Final = (_encoded_whole, _defanged, _quoted_printable, _html, _escapes, _breaks, _invisible)
"""The repairs of any text, in the order in which they are made."""

INNER: Final = (_dashes, _ends, _separators, _padding)
"""The repairs of a link that is not inside another one, in the order in which they are made."""
