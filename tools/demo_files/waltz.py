"""The shop's recording: a short waltz for music box and harbour organ, as FLAC. Every wheel has it, so it is small.

Every sample is the same on every machine: results of the mathematics library are rounded before use, and all other
steps are multiplication and addition.
"""

import math
from collections.abc import Iterator
from functools import cache

from tools.demo_files import flac

TITLE = "Night Watch"
ARTIST = "Skerrow Music Box"

RATE = 11025
_BEAT = 6000  # samples: 110 beats a minute
_SILENT = 5  # lowest bits of each sample that are 0: 66 dB below the loudest one

_MELODY = """
D5:2 B4:1 | A4:2 D5:1 | G5:2 F#5:1 | D#5:3    | D5:1 B4:1 G4:1 | A4:2 F#4:1 | G4:3     | G5:3
"""
_HARMONY = """
G3:B3.D4 | F#3:A3.D4 | E3:G3.B3 | C3:G3.C4  | D3:G3.B3 | D3:F#3.C4 | G2:G3.B3 | G2:B3.D4
"""
_STEPS = {"C": 0, "C#": 1, "D": 2, "D#": 3, "E": 4, "F": 5, "F#": 6, "G": 7, "G#": 8, "A": 9, "A#": 10, "B": 11}

# The partials of each voice (multiple of the pitch, loudness, seconds until it has faded to a thousandth).
_BOX = ((1.0, 1.0, 2.6), (2.0, 0.32, 1.5), (3.0, 0.12, 0.8), (5.4, 0.05, 0.25))
_STRING = ((1.0, 0.8, 1.7), (2.0, 0.2, 1.0))
_BASS = ((1.0, 1.0, 2.4), (2.0, 0.35, 1.4), (3.0, 0.08, 0.7))
_ORGAN = (1.0, 1.003, 2.0)


def _bars(score: str) -> list[str]:
    return [bar.strip() for line in score.strip().splitlines() for bar in line.split("|")]


def _pitch(note: str) -> float:
    """Return a note's frequency in hertz, with A4 at 440."""
    step = _STEPS[note[:-1]] + 12 * int(note[-1]) - 57
    return round(440 * 2 ** (step / 12), 6)


def _wave(frequency: float, loudness: float, fade: float, length: int) -> list[float]:
    """Return a sine that starts at zero and fades: a resonator struck once (`fade` is its decay for each sample)."""
    angle = 2 * math.pi * frequency / RATE
    feedback, damping = round(2 * fade * math.cos(angle), 12), round(fade * fade, 12)
    before, now = 0.0, round(loudness * math.sin(angle), 12)
    samples = []
    for _ in range(length):
        samples.append(before)
        before, now = now, feedback * now - damping * before
    return samples


@cache
def _struck(note: str, voice: tuple[tuple[float, float, float], ...]) -> list[float]:
    """Return a plucked note in one of the voices that fade."""
    length = int(max(seconds for _, _, seconds in voice) * RATE)
    total = [0.0] * length
    for multiple, loudness, seconds in voice:
        fade = round(0.001 ** (1 / (seconds * RATE)), 12)
        partial = _wave(_pitch(note) * multiple, loudness, fade, int(seconds * RATE))
        for index, value in enumerate(partial):
            total[index] += value
    softening = 45  # samples, four milliseconds: a felt hammer rather than a click
    for index in range(softening):
        total[index] *= index / softening
    return total


@cache
def _held(note: str, length: int) -> list[float]:
    """Return a note on the harbour organ: it swells for a third of its time, and fades for the rest."""
    total = [0.0] * length
    for multiple in _ORGAN:
        for index, value in enumerate(_wave(_pitch(note) * multiple, 1 / multiple, 1.0, length)):
            total[index] += value
    swell = length // 3
    for index in range(length):
        total[index] *= index / swell if index < swell else (length - index) / (length - swell)
    return total


def _notes() -> Iterator[tuple[int, float, list[float]]]:
    """Yield every note of the piece: the sample where it starts, its loudness, and its sound."""
    bar = 3 * _BEAT
    melody, harmony = _bars(_MELODY), _bars(_HARMONY)
    for number, (tune, chord) in enumerate(zip(melody, harmony, strict=True)):
        start = number * bar
        at = start
        for entry in tune.split():
            note, beats = entry.split(":")
            if note != "-":
                yield at, 0.5, _struck(note, _BOX)
            at += int(beats) * _BEAT
        bass, upper = chord.split(":")
        yield start, 0.42, _struck(bass, _BASS)
        for beat, loudness in ((1, 0.16), (2, 0.13)):
            for index, note in enumerate(upper.split(".")):
                yield start + beat * _BEAT + index * 130, loudness, _struck(note, _STRING)
        if number >= 4:
            for note in upper.split("."):
                yield start, 0.045, _held(note, bar + _BEAT // 2)


def _echo(sound: list[float], delay: int, feedback: float) -> list[float]:
    """Return the echo from a wall: every `delay` samples the whole sound again, weaker (a comb filter)."""
    out = sound[:delay]
    for start in range(delay, len(sound), delay):
        block = sound[start : start + delay]
        earlier = out[start - delay : start]
        out += [value + feedback * old for value, old in zip(block, earlier, strict=False)]
    return out


def samples() -> list[int]:
    """Return the whole piece, 16 bits for each sample, with silence at the end."""
    length = (len(_bars(_MELODY)) * 3 + 3) * _BEAT
    length += -length % flac.BLOCK
    dry = [0.0] * length
    for at, loudness, sound in _notes():
        stop = min(length, at + len(sound))
        dry[at:stop] = [old + loudness * new for old, new in zip(dry[at:stop], sound, strict=False)]
    rooms = [_echo(dry, delay, 0.72) for delay in (405, 453, 531)]
    wet = [value + 0.07 * (a + b + c) for value, a, b, c in zip(dry, *rooms, strict=True)]
    loudest = max(max(wet), -min(wet))
    ending = 2 * _BEAT
    gain = 29000 / loudest
    out = [int(value * gain) for value in wet]
    for index in range(ending):
        out[length - ending + index] = out[length - ending + index] * (ending - index) // ending
    return [value >> _SILENT << _SILENT for value in out]


def make() -> bytes:
    """Return the FLAC file's bytes."""
    tags = {"TITLE": TITLE, "ARTIST": ARTIST, "ALBUM": "Keyfront", "DATE": "2026", "LICENSE": "Apache-2.0"}
    return flac.encode(samples(), RATE, tags, silent=_SILENT)
