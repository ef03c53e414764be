"""Encodes sound as FLAC: mono, 16 bits, lossless, with the linear predictors of RFC 9639.

The predictors are found with whole numbers and single steps of arithmetic, so they are the same on every machine.
"""

import hashlib
import operator
import struct
from collections.abc import Iterator, Mapping, Sequence

BLOCK = 4096  # samples in a frame
_PARTITIONS = 4  # each frame's residual is divided into 2**4 parts, each with its own Rice parameter
_ORDER = 12  # samples from which the next one is predicted
_PRECISION = 13  # bits of each of the predictor's coefficients


def _table(polynomial: int, bits: int) -> tuple[int, ...]:
    top, mask = 1 << (bits - 1), (1 << bits) - 1
    rows = []
    for byte in range(256):
        remainder = byte << (bits - 8)
        for _ in range(8):
            remainder = (remainder << 1) ^ polynomial if remainder & top else remainder << 1
        rows.append(remainder & mask)
    return tuple(rows)


_CRC8, _CRC16 = _table(0x07, 8), _table(0x8005, 16)


def _crc8(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc = _CRC8[crc ^ byte]
    return crc


def _crc16(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc = ((crc << 8) & 0xFFFF) ^ _CRC16[(crc >> 8) ^ byte]
    return crc


def _coded(number: int) -> bytes:
    """Return a frame's number, encoded like UTF-8 (RFC 9639, section 9.1.5). It must be below 2**11."""
    return bytes([number]) if number < 0x80 else bytes([0xC0 | number >> 6, 0x80 | number & 0x3F])


def _predictor(samples: Sequence[int]) -> tuple[list[int], int]:
    """Return the coefficients that predict a sample from those before it (the last one first), and their shift.

    Levinson and Durbin's recursion, on samples that fade at the ends of the frame.
    """
    faded = [sample * (at * (BLOCK - at) >> 10) for at, sample in enumerate(samples, start=1)]
    alike = [sum(map(operator.mul, faded, faded[lag:])) for lag in range(_ORDER + 1)]
    error, found = float(alike[0]), [0.0] * _ORDER
    for order in range(_ORDER):
        missing = float(alike[order + 1])
        for index in range(order):
            missing -= found[index] * alike[order - index]
        step = missing / error
        before = found[:order]
        for index in range(order):
            found[index] = before[index] - step * before[order - 1 - index]
        found[order] = step
        error *= 1 - step * step
    most = 1 << (_PRECISION - 1)
    shift = next(bits for bits in range(_PRECISION, -1, -1) if max(map(abs, found)) * (1 << bits) < most - 1)
    return [int(value * (1 << shift) + (0.5 if value > 0 else -0.5)) for value in found], shift


def _errors(samples: Sequence[int], coefficients: Sequence[int], shift: int) -> list[int]:
    """Return how far each sample after the first ones is from its prediction."""
    backwards = coefficients[::-1]
    return [
        samples[at] - (sum(map(operator.mul, backwards, samples[at - _ORDER : at])) >> shift)
        for at in range(_ORDER, len(samples))
    ]


def _rice(residual: Sequence[int]) -> Iterator[str]:
    """Yield the residual in Rice codes, part by part, as bits."""
    size = BLOCK >> _PARTITIONS
    start = 0
    for part in range(1 << _PARTITIONS):
        stop = (part + 1) * size - _ORDER
        folded = [value << 1 if value >= 0 else (-value << 1) - 1 for value in residual[start:stop]]
        start = stop
        mean = sum(folded) // max(1, len(folded))
        parameter = min(14, max(0, mean.bit_length() - 1))
        yield f"{parameter:04b}"
        marker, mask = 1 << parameter, (1 << parameter) - 1
        # The 1 at the top keeps the leading zeros of the low bits, and is the stop bit of the unary part.
        yield "".join(["0" * (value >> parameter) + f"{marker | value & mask:b}" for value in folded])


def _signed(number: int, bits: int) -> str:
    return f"{number & (1 << bits) - 1:0{bits}b}"


def _subframe(samples: Sequence[int], silent: int) -> Iterator[str]:
    """Yield a frame's samples, as bits. The lowest `silent` bits of each sample are 0, and are left out."""
    marker, bits = f"1{'1':0>{silent}}", 16 - silent
    kept = [sample >> silent for sample in samples]
    if not any(kept):
        yield f"0000000{marker}" + _signed(0, bits)
        return
    coefficients, shift = _predictor(kept)
    yield f"0{0b100000 | _ORDER - 1:06b}{marker}"
    yield from (_signed(sample, bits) for sample in kept[:_ORDER])
    yield f"{_PRECISION - 1:04b}{shift:05b}"
    yield from (_signed(coefficient, _PRECISION) for coefficient in coefficients)
    yield f"00{_PARTITIONS:04b}"
    yield from _rice(_errors(kept, coefficients, shift))


def _frame(number: int, samples: Sequence[int], rate: int, silent: int) -> bytes:
    # The rate stands at the header's end.
    header = bytes([0xFF, 0xF8, 0b1100_1101, 0b0000_100_0]) + _coded(number) + rate.to_bytes(2, "big")
    header += bytes([_crc8(header)])
    text = "".join(_subframe(samples, silent))
    text += "0" * (-len(text) % 8)
    frame = header + int(text, 2).to_bytes(len(text) // 8, "big")
    return frame + _crc16(frame).to_bytes(2, "big")


def _comment(tags: Mapping[str, str]) -> bytes:
    fields = [b"keyfront", *(f"{name}={value}".encode() for name, value in tags.items())]
    packed = [struct.pack("<I", len(field)) + field for field in fields]
    return packed[0] + struct.pack("<I", len(tags)) + b"".join(packed[1:])


def encode(samples: Sequence[int], rate: int, tags: Mapping[str, str], *, silent: int) -> bytes:
    """Encode `samples` (-32768 to 32767, in whole blocks) at `rate` per second, with Vorbis comments.

    The lowest `silent` bits of every sample must be 0; there is at least one.
    """
    if len(samples) % BLOCK:
        raise ValueError(f"{len(samples)} samples do not fill blocks of {BLOCK}")
    blocks = [samples[start : start + BLOCK] for start in range(0, len(samples), BLOCK)]
    frames = [_frame(number, block, rate, silent) for number, block in enumerate(blocks)]
    digest = hashlib.md5(struct.pack(f"<{len(samples)}h", *samples), usedforsecurity=False).digest()
    shape = rate << 44 | 0 << 41 | 15 << 36 | len(samples)
    smallest, largest = min(map(len, frames)), max(map(len, frames))
    info = (
        struct.pack(">HH", BLOCK, BLOCK)
        + smallest.to_bytes(3, "big")
        + largest.to_bytes(3, "big")
        + shape.to_bytes(8, "big")
        + digest
    )
    comment = _comment(tags)
    return b"".join(
        [
            b"fLaC",
            b"\x00",
            len(info).to_bytes(3, "big"),
            info,
            b"\x84",
            len(comment).to_bytes(3, "big"),
            comment,
            *frames,
        ]
    )
