"""What kind of thing a file is, by its name."""

import mimetypes
from pathlib import PurePosixPath
from typing import Final

# What not every Python version knows by itself; the system's own tables differ from machine to machine.
_MORE: Final = {
    ".7z": "application/x-7z-compressed",
    ".aac": "audio/aac",
    ".avif": "image/avif",
    ".azw3": "application/vnd.amazon.ebook",
    ".cbz": "application/vnd.comicbook+zip",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".epub": "application/epub+zip",
    ".flac": "audio/flac",
    ".heic": "image/heic",
    ".m4a": "audio/mp4",
    ".m4b": "audio/mp4",
    ".m4v": "video/mp4",
    ".md": "text/markdown",
    ".mkv": "video/matroska",
    ".mobi": "application/x-mobipocket-ebook",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".oga": "audio/ogg",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".rar": "application/vnd.rar",
    ".wav": "audio/wav",
    ".webp": "image/webp",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".zst": "application/zstd",
}
_ENCODINGS: Final = {"gzip": "application/gzip", "bzip2": "application/x-bzip2", "xz": "application/x-xz"}
_KNOWN: Final = mimetypes.MimeTypes(filenames=())


def media_type(name: str) -> str:
    """The media type of a file of that name; `application/octet-stream` when nothing is known."""
    if known := _MORE.get(PurePosixPath(name.lower()).suffix):
        return known
    guessed, encoding = _KNOWN.guess_type(name)
    if encoding:
        return _ENCODINGS.get(encoding, "application/octet-stream")
    return guessed or "application/octet-stream"
