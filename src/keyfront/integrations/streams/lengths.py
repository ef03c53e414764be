"""How long a stream plays, as its manifest says. m3u8 and mpegdash read that.

What they read is never written back: on the way out they lose lines and attributes.
"""

import re
from typing import Final, Literal

from keyfront.home import install

try:
    import m3u8  # type: ignore[import-untyped]
    from mpegdash.parser import MPEGDASHParser  # type: ignore[import-untyped]
except ModuleNotFoundError as error:
    _TEXT = f"keyfront.integrations.streams needs m3u8 and mpegdash: {install('video')}"
    raise ModuleNotFoundError(_TEXT, name=error.name) from None

_ISO_8601 = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")
_SECONDS: Final = (86_400, 3_600, 60, 1)
# What they raise for a manifest that players take all the same.
_UNREAD: Final = (ValueError, TypeError, KeyError, IndexError, AttributeError)


def length(kind: Literal["hls", "dash"], text: str) -> float | None:
    """Seconds; `None` for what has no end or does not say: a live stream, a master playlist.

    An MPD has to have been read by `dash.read`, which refuses document types.
    """
    try:
        return _of_playlist(text) if kind == "hls" else _of_mpd(text)
    except _UNREAD:
        return None


def _of_playlist(text: str) -> float | None:
    playlist = m3u8.loads(text)
    if playlist.is_variant or not playlist.is_endlist:
        return None
    return float(sum(segment.duration or 0.0 for segment in playlist.segments))


def _of_mpd(text: str) -> float | None:
    if "<MPD" not in text:
        # mpegdash takes anything else for an address, and opens it.
        return None
    mpd = MPEGDASHParser.parse(text)
    if mpd.type == "dynamic":
        return None
    whole = _seconds(mpd.media_presentation_duration)
    if whole is not None:
        return whole
    periods = [_seconds(period.duration) for period in mpd.periods or ()]
    known = [each for each in periods if each is not None]
    return sum(known) if known and len(known) == len(periods) else None


def _seconds(duration: object) -> float | None:
    found = _ISO_8601.fullmatch(duration) if isinstance(duration, str) else None
    if found is None or not any(found.groups()):
        return None
    return sum(float(part or 0) * seconds for part, seconds in zip(found.groups(), _SECONDS, strict=True))
