"""Manifests from where they lie: the distribution or another web server, or a folder. Nothing else is ever read."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from keyfront.core.urls import shown
from keyfront.errors import ServiceError

if TYPE_CHECKING:
    import httpx

MOST_BYTES: Final = 8 * 1024 * 1024
"""A longer manifest is not read: somebody named a film .m3u8."""

_SECONDS: Final = 10.0
_GONE: Final = frozenset({403, 404, 410})  # S3 says 403 for a missing object to those who may not list.


class MissingManifestError(ServiceError):
    """There is no manifest at this place."""


class Web:
    """Fetches manifests with one client, which keeps its connections. Redirects are not followed."""

    def __init__(self, headers: Mapping[str, str] | None = None) -> None:
        """`headers` go with every request, such as a secret that the origin asks for."""
        self._headers = dict(headers or {})
        self._client: httpx.AsyncClient | None = None

    async def read(self, url: str) -> str:
        """The text at `url`. Raises `MissingManifestError` and `ServiceError`."""
        httpx = _httpx()
        if self._client is None:
            self._client = httpx.AsyncClient(headers=self._headers, timeout=_SECONDS)
        body = bytearray()
        try:
            async with self._client.stream("GET", url) as answer:
                _check(answer.status_code, url)
                async for chunk in answer.aiter_bytes():
                    body += chunk
                    _check_size(len(body), url)
        except httpx.HTTPError as error:
            raise _unreachable(url, error) from None
        return decoded(bytes(body), shown(url))

    async def close(self) -> None:
        """Let go of the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()


def fetch(url: str) -> str:
    """The manifest at `url`, for programs without an event loop. Raises as `Web.read`."""
    httpx = _httpx()
    body = bytearray()
    try:
        with httpx.stream("GET", url, timeout=_SECONDS) as answer:
            _check(answer.status_code, url)
            for chunk in answer.iter_bytes():
                body += chunk
                _check_size(len(body), url)
    except httpx.HTTPError as error:
        raise _unreachable(url, error) from None
    return decoded(bytes(body), shown(url))


def from_folder(root: Path, path: str) -> str:
    """The file `path` below the folder `root`, links out of it not followed. Raises as `Web.read`."""
    file = (root / path).resolve()
    if not file.is_relative_to(root.resolve()) or not file.is_file():
        raise MissingManifestError(f"there is no file {path!r}")
    try:
        _check_size(file.stat().st_size, repr(path))
        return decoded(file.read_bytes(), repr(path))
    except OSError as error:
        raise ServiceError(f"{path!r} cannot be read: {error.strerror}") from None


def decoded(body: bytes, name: str) -> str:
    """A manifest's text. Line ends stay as they are. Raises `ServiceError`."""
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise ServiceError(f"{name} is not UTF-8 text: it is not a manifest") from None


def _check(status: int, url: str) -> None:
    if status in _GONE:
        raise MissingManifestError(f"{shown(url)} was answered {status}")
    if status != 200:
        raise ServiceError(f"{shown(url)} was answered {status}; 200 is needed, and redirects are not followed")


def _check_size(size: int, name: str) -> None:
    if size > MOST_BYTES:
        raise ServiceError(f"{name.partition('?')[0]} is over {MOST_BYTES:,} bytes: it is not a manifest")


def _unreachable(url: str, error: Exception) -> ServiceError:
    return ServiceError(f"{shown(url)} cannot be fetched: {type(error).__name__}")


def _httpx() -> Any:
    try:
        import httpx
    except ModuleNotFoundError as error:
        text = "manifests are fetched with httpx: pip install httpx"
        raise ModuleNotFoundError(text, name=error.name) from None
    return httpx
