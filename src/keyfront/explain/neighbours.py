"""Other paths that are signed by mistake: a folder, another file of the same stream, a path before a rewrite.

Each change names the finding that it would prove. `variants` puts the paths into URLs, and `search` verifies them.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from keyfront.explain.change import Change

_MANIFESTS: Final = (
    "master.m3u8",
    "index.m3u8",
    "playlist.m3u8",
    "manifest.m3u8",
    "main.m3u8",
    "stream.m3u8",
    "video.m3u8",
    "prog_index.m3u8",
    "chunklist.m3u8",
    "hls.m3u8",
    "output.m3u8",
    "manifest.mpd",
    "stream.mpd",
    "index.mpd",
    "dash.mpd",
)
STREAMED: Final = (
    ".ts",
    ".m4s",
    ".m3u8",
    ".mpd",
    ".aac",
    ".vtt",
    ".key",
    ".cmfv",
    ".cmfa",
    ".cmft",
    ".m4v",
    ".m4a",
    ".mp4",
)
"""The ends of the names of a stream's files."""
_PREFIXES: Final = (
    "public",
    "private",
    "static",
    "media",
    "assets",
    "files",
    "uploads",
    "content",
    "videos",
    "images",
    "members",
    "protected",
    "cdn",
    "prod",
    "v1",
    "api",
    "en",
)
_NUMBER = re.compile(r"\d+(?=\D*$)")
_MOST_ABOVE: Final = 3


def folders(path: str) -> Iterator[tuple[Change, str]]:
    """Yield the folders above `path`, as they are signed without a `*`."""
    parts = path.split("/")[:-1]
    for end in range(len(parts), 0, -1):
        folder = "/".join(parts[:end])
        for form in (f"{folder}/", folder):
            if form != path:
                yield Change("folder-without-wildcard", f"the folder {form or '(no path)'} was signed"), form


def of_the_stream(path: str) -> Iterator[tuple[Change, str]]:
    """Yield other files that a player loads with `path`: manifests here and above, and neighbours by number."""
    if not path.lower().endswith(STREAMED):
        return
    parts = path.split("/")
    own, stem = parts[-1], parts[-1].rpartition(".")[0]
    for above in range(1, min(len(parts), _MOST_ABOVE + 1)):
        folder = "/".join(parts[:-above])
        named = [parts[-above]] if above > 1 else [stem, re.sub(r"[-_.]?\d+$", "", stem)]
        named += [folder.rpartition("/")[2]]
        names = [f"{name}.{end}" for name in named if name for end in ("m3u8", "mpd")]
        for name in dict.fromkeys((*_MANIFESTS, *names)):
            if name != own or above > 1:
                yield _file(f"{folder}/{name}")
    folder = "/".join(parts[:-1])
    for name in _by_number(own):
        yield _file(f"{folder}/{name}")


def _by_number(name: str) -> Iterator[str]:
    found = _NUMBER.search(name.rpartition(".")[0])
    if found is None:
        return
    width, number = len(found[0]), int(found[0])
    for other in dict.fromkeys((number - 1, number + 1, 0, 1)):
        if other >= 0 and other != number:
            yield f"{name[: found.start()]}{other:0{width}d}{name[found.end() :]}"


def _file(path: str) -> tuple[Change, str]:
    return Change("signed-for-another-file", f"{path} was signed"), path


def rewritten(path: str, prefixes: Iterable[str] = ()) -> Iterator[tuple[Change, str]]:
    """Yield what `path` may have been before a rewrite: without its first folders, or with a prefix before it.

    `prefixes` are paths of the origins, which are often signed by mistake.
    """
    parts = path.split("/")
    for count in range(2, min(len(parts), 5)):
        yield _path(f"/{'/'.join(parts[count:])}")
    for prefix in dict.fromkeys((*(each.strip("/") for each in prefixes), *_PREFIXES)):
        if prefix:
            yield _path(f"/{prefix}{path}")
    if path.endswith("/"):
        yield _path(f"{path}index.html")
    elif path.endswith("/index.html"):
        yield _path(path.removesuffix("index.html"))
        yield _path(path.removesuffix("/index.html"))
    elif path.endswith(".html"):
        yield _path(path.removesuffix(".html"))
    elif "." not in parts[-1]:
        yield _path(f"{path}.html")
        yield _path(f"{path}/index.html")


def _path(path: str) -> tuple[Change, str]:
    return Change("path-rewritten", f"the path {path} was signed"), path


def slashed(path: str) -> Iterator[tuple[Change, str]]:
    """Yield `path` with another number of slashes."""
    text = "the path was signed with two slashes in it"
    for at, character in enumerate(path):
        if character == "/" and 0 < at < len(path) - 1:
            yield Change("slashes-differ", text), f"{path[:at]}/{path[at:]}"
    if path.startswith("//"):
        yield Change("slashes-differ", "the path was signed with one slash at its start"), f"/{path.lstrip('/')}"
