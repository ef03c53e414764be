"""Finds a PEM block in a file, an environment variable or JSON, with or without its line ends.

This module does not read keys. It finds the block, fixes its lines, and says what was found instead of one.
"""

import re
from pathlib import Path
from typing import Final

from keyfront.core.showing import told
from keyfront.errors import KeyLoadError

PUBLIC_LABELS: Final = ("PUBLIC KEY",)
PRIVATE_LABELS: Final = ("PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY")

_NEEDED: Final = {PUBLIC_LABELS: "a public key (BEGIN PUBLIC KEY)", PRIVATE_LABELS: "a private key in PEM"}
_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
# The two headers of PKCS#1 and SEC1 with a passphrase. The salt's length is known, so the key's text after it is found
# even if every line break was lost.
_ENCRYPTION_HEADERS = re.compile(
    r"\s*Proc-Type:\s*4,ENCRYPTED\s*DEK-Info:\s*([A-Z0-9-]+-CBC,(?:[0-9A-F]{32}|[0-9A-F]{16}))", re.IGNORECASE
)
# An environment variable or a JSON file may have turned line ends into the two characters "\n", once or several times,
# and a URL into %0A.
_ESCAPED_LINE_END = re.compile(r"\\+(?:r\\+n|[nr]|(?=\n))|(?:%0[Dd])?%0[Aa]")
_FIRST_LINE = re.compile(r"[\s\"']*-----BEGIN[A-Z0-9 ]*(?:-----)?[\s\"']*")
_OTHER_LABELS: Final = {
    **dict.fromkeys(PRIVATE_LABELS, ("key-is-private", "found a private key")),
    "PUBLIC KEY": ("key-is-public", "found a public key"),
    "RSA PUBLIC KEY": (
        "key-in-another-form",
        "found a PKCS#1 public key (convert it: openssl rsa -RSAPublicKey_in -pubout)",
    ),
    "CERTIFICATE": ("key-is-certificate", "found a certificate (extract its key: openssl x509 -pubkey -noout)"),
    "CERTIFICATE REQUEST": ("key-is-certificate", "found a certificate request"),
    "OPENSSH PRIVATE KEY": (
        "key-in-another-form",
        "found an OpenSSH private key (convert it: ssh-keygen -p -m PEM -N '' -f FILE)",
    ),
}


def find_block(pem: bytes | str, wanted: tuple[str, ...]) -> tuple[str, bytes]:
    """Return label and text of the first block with a wanted label, with its lines fixed.

    `wanted` is `PUBLIC_LABELS` or `PRIVATE_LABELS`. Raises `KeyLoadError`, which says what was found instead.
    """
    text = pem.decode("utf-8", "replace") if isinstance(pem, bytes) else pem
    text = _ESCAPED_LINE_END.sub("\n", text).replace("\r", "")
    blocks = _BLOCK.findall(text)
    if not blocks:
        raise _no_block(pem, text, _NEEDED[wanted])
    for label, body in blocks:
        if label in wanted:
            return label, _rewrap(label, body)
    label = blocks[0][0]
    reason, found = _OTHER_LABELS.get(label, ("", f"found {label}"))
    raise KeyLoadError(f"{found}; needed: {_NEEDED[wanted]}", reason=reason, value=label)


def check_text(source: object) -> None:
    """Raise `KeyLoadError` unless `source` is text or bytes."""
    if source is None:
        text = "found nothing at all (None); needed: PEM as text or bytes, or a pathlib.Path (was a variable not set?)"
        raise KeyLoadError(text, reason="key-missing")
    if not isinstance(source, str | bytes):
        kind = type(source).__name__
        text = f"found a {kind}; needed: PEM as text or bytes, or a pathlib.Path"
        raise KeyLoadError(text, reason="key-not-text", value=kind)


def read_file(path: Path) -> bytes:
    """Return the bytes of a key file. Raises `KeyLoadError` if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        why = error.strerror
    except ValueError:  # a line end or a null in the name: a PEM was given as a path
        why = "give a PEM as text, and a path as a Path"
    text = f"cannot read the key file {told(path)}: {why}"
    raise KeyLoadError(text, reason="file-unreadable", value=told(path))


def _no_block(pem: bytes | str, text: str, needed: str) -> KeyLoadError:
    reason, found, hint = _instead(pem, text)
    return KeyLoadError(f"{found}; needed: {needed}{f' ({hint})' if hint else ''}", reason=reason)


def _instead(pem: bytes | str, text: str) -> tuple[str, str, str]:
    """Return the reason, what was found instead of a PEM block, and a hint."""
    if not text.strip():
        return "key-missing", "found nothing at all", ""
    if _FIRST_LINE.fullmatch(text):
        hint = "put quotation marks around the PEM in an .env file, or write its line ends as \\n"
        return "key-damaged", "found only the first line of a PEM", hint
    if "-----BEGIN" in text:
        return "key-damaged", "the PEM is cut off or damaged: its END line does not match its BEGIN line", ""
    if isinstance(pem, bytes) and pem[:1] == b"\x30":
        return "key-in-another-form", "found binary DER", "convert it: openssl pkey -inform DER"
    if text.lstrip().startswith("ssh-"):
        return "key-in-another-form", "found an OpenSSH public key", "convert it: ssh-keygen -e -m PKCS8 -f FILE"
    if text.lstrip().startswith("LS0tLS1CRUdJTi"):
        return "key-in-another-form", "found a PEM that was encoded in base64 again", "decode it: base64 -d"
    if isinstance(pem, str) and text.rstrip().endswith((".pem", ".key")):
        return "key-is-a-file-name", "found what looks like a file name", "give a file as a pathlib.Path"
    return "key-missing", "found no PEM block", ""


def _rewrap(label: str, body: str) -> bytes:
    """Return the PEM block with its base64 in lines of 64 characters."""
    headers = _ENCRYPTION_HEADERS.match(body)
    head = [f"Proc-Type: 4,ENCRYPTED\nDEK-Info: {headers[1]}\n"] if headers else []
    data = re.sub(r"\s+", "", body[headers.end() :] if headers else body)
    lines = [data[at : at + 64] for at in range(0, len(data), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *head, *lines, f"-----END {label}-----", ""]).encode(
        "ascii", "replace"
    )
