"""Keys and passphrases from where a command line names them: files, standard input, the environment, a prompt."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from keyfront.core.showing import told
from keyfront.errors import InputError, KeyLoadError

if TYPE_CHECKING:
    from keyfront.core.keys import PublicKey, SigningKey

_VARIABLE: Final = "KEYFRONT_PASSPHRASE"
_STDIN: Final = Path("-")


def signing_key(source: Path, passphrase_file: Path | None) -> "SigningKey":
    """The private key in the file `source`, or on standard input for `-`.

    A passphrase is looked for only when the key is encrypted: in `passphrase_file`, in the environment, and at
    last from whoever sits at the terminal. Raises `KeyLoadError`.
    """
    from keyfront.core.keys import SigningKey

    pem = sys.stdin.buffer.read() if source == _STDIN else _read(source, "private key")
    where = "standard input" if source == _STDIN else str(source)
    passphrase = _passphrase(where, passphrase_file) if b"ENCRYPTED" in pem else None
    try:
        return SigningKey.load(pem, passphrase)
    except KeyLoadError as error:
        raise KeyLoadError(f"{where}: {error}", reason=error.reason, member=error.member) from None


def public_key(source: Path) -> "PublicKey":
    """The public key in the file `source`; `KeyLoadError` for anything else, a private key above all."""
    from keyfront.core.keys import PublicKey

    pem = _read(source, "public key")
    if b"PRIVATE KEY-----" in pem:
        raise KeyLoadError(
            f"{source}: this is a private key, which stays with whoever signs; give its public half "
            f"(public_key.pem beside it, or: openssl pkey -in {source} -pubout)",
            reason="key-is-private",
        )
    try:
        return PublicKey.load(pem)
    except KeyLoadError as error:
        raise KeyLoadError(f"{source}: {error}", reason=error.reason, value=error.value) from None


def passphrase_in(file: Path) -> str:
    """The first line of `file`, without its line end; `InputError` when there is none."""
    try:
        line = _read(file, "passphrase").decode("utf-8").split("\n", 1)[0].removesuffix("\r")
    except UnicodeDecodeError:
        raise InputError(f"the passphrase file {file} is not UTF-8 text") from None
    if not line:
        raise InputError(f"the passphrase file {file} begins with an empty line: write the passphrase there")
    return line


def _passphrase(where: str, file: Path | None) -> str:
    if file is not None:
        return passphrase_in(file)
    if from_environment := os.environ.get(_VARIABLE):
        return from_environment
    if sys.stderr.isatty():
        import getpass

        return getpass.getpass(f"Passphrase of {where}: ")
    text = f"{where}: the private key is encrypted: give --passphrase-file FILE or set {_VARIABLE}"
    raise KeyLoadError(text, reason="passphrase-missing", member="passphrase")


def _read(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        why = error.strerror
    except ValueError:
        why = "give the path of a file"
    text = f"cannot read the {what} file {told(path)}: {why}"
    raise KeyLoadError(text, reason="file-unreadable", value=told(path))
