"""Why a text cannot be read, in keyfront's own words: not in CloudFront's base64, or not JSON."""

import json
import re
from typing import Final

_FOREIGN = re.compile(r"[^A-Za-z0-9\-~_]")
_TRAILING = re.compile(r",\s*[}\]]")
_MOST_SHOWN: Final = 5


def base64_problem(text: str) -> str:
    """Return why `text` is not in CloudFront's base64. It names single characters and no more of the text."""
    foreign = list(dict.fromkeys(_FOREIGN.findall(text)))
    if foreign:
        shown = " ".join(each if each.isprintable() and each != " " else ascii(each) for each in foreign[:_MOST_SHOWN])
        more = " and others" if len(foreign) > _MOST_SHOWN else ""
        return f"it has {shown}{more}; CloudFront's base64 has letters, digits, - ~ and, at its end, _"
    if "_" in text.rstrip("_"):
        return "it has a _ in the middle, which is only at the end of CloudFront's base64"
    if len(text) % 4:
        return f"it has {len(text):,} characters, which is not a multiple of 4: its end or its _ at the end is missing"
    return "its last characters were changed"


def json_problem(data: bytes) -> str:
    """Return why `data` is not JSON; an empty text if it is, or if that cannot be told."""
    try:
        json.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        return f"it is not text: byte {error.start + 1} is not UTF-8"
    except json.JSONDecodeError as error:
        return _at(error.doc, error.pos)
    except RecursionError:
        pass
    return ""


def _at(text: str, place: int) -> str:
    if not text.strip():
        return "it is empty"
    if place >= len(text.rstrip()):
        return f"it ends too early, after {len(text):,} characters"
    if found := _TRAILING.match(text, place):
        place = found.end() - 1  # Python 3.13 names the comma, and earlier ones the bracket behind it
    character = text[place]
    why = {
        "'": ": JSON has double quotes only",
        "}": ": a comma or a value may be missing before it, or a comma is too many",
        "]": ": a comma is too many before it, or a value is missing",
        "\ufeff": ": a byte order mark stands before it",
    }.get(character, "")
    if character == '"' and "\n" not in text[place:] and '"' not in text[place + 1 :]:
        why = ": the text in quotes never ends"
    return f"at character {place + 1:,} it has {character!a}{why}"
