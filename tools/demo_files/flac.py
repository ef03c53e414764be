"""Encodes sound as FLAC: mono, 16 bits, lossless, with the fixed predictors of RFC 9639."""

import hashlib
import struct
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

BLOCK = 4096  # samples in a frame
_PARTITIONS = 4  # each frame's residual is divided into 2**4 parts, each with its own Rice parameter
_RATES = {22050: 0b0110, 44100: 0b1001}


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


def _differences(samples: Sequence[int]) -> tuple[int, list[int]]:
    """Return the order of the fixed predictor with the smallest residual, and this residual without the warm-up."""
    best, residual = 0, list(samples)
    order, current = 0, residual
    weight = sum(map(abs, residual))
    while order < 4:
        current = [after - before for before, after in pairwise(current)]
        order += 1
        lighter = sum(map(abs, current))
        if lighter < weight:
            best, residual, weight = order, current, lighter
    return best, residual


def _rice(residual: Sequence[int], order: int) -> Iterator[str]:
    """Yield the residual in Rice codes, part by part, as bits."""
    size = BLOCK >> _PARTITIONS
    start = 0
    for part in range(1 << _PARTITIONS):
        stop = (part + 1) * size - order
        folded = [value << 1 if value >= 0 else (-value << 1) - 1 for value in residual[start:stop]]
        start = stop
        mean = sum(folded) // max(1, len(folded))
        parameter = min(14, max(0, mean.bit_length() - 1))
        yield f"{parameter:04b}"
        marker, mask = 1 << parameter, (1 << parameter) - 1
        # The 1 at the top keeps the leading zeros of the low bits, and is the stop bit of the unary part.
        yield "".join(["0" * (value >> parameter) + f"{marker | value & mask:b}" for value in folded])


def _frame(number: int, samples: Sequence[int], rate: int) -> bytes:
    header = bytes([0xFF, 0xF8, 0b1100 << 4 | _RATES[rate], 0b0000_100_0]) + _coded(number)
    header += bytes([_crc8(header)])
    order, residual = _differences(samples)
    bits = [f"0{0b001000 | order:06b}0"]
    bits += [f"{sample & 0xFFFF:016b}" for sample in samples[:order]]
    bits.append(f"00{_PARTITIONS:04b}")
    bits.extend(_rice(residual, order))
    text = "".join(bits)
    text += "0" * (-len(text) % 8)
    frame = header + int(text, 2).to_bytes(len(text) // 8, "big")
    return frame + _crc16(frame).to_bytes(2, "big")


def _comment(tags: Mapping[str, str]) -> bytes:
    fields = [b"keyfront", *(f"{name}={value}".encode() for name, value in tags.items())]
    packed = [struct.pack("<I", len(field)) + field for field in fields]
    return packed[0] + struct.pack("<I", len(tags)) + b"".join(packed[1:])


def encode(samples: Sequence[int], rate: int, tags: Mapping[str, str]) -> bytes:
    """Encode `samples` (-32768 to 32767, in whole blocks) at `rate` per second, with Vorbis comments."""
    if len(samples) % BLOCK:
        raise ValueError(f"{len(samples)} samples do not fill blocks of {BLOCK}")
    frames = [_frame(start // BLOCK, samples[start : start + BLOCK], rate) for start in range(0, len(samples), BLOCK)]
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
