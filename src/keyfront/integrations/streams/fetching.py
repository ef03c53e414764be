"""Fetch manifests from the distribution, another web server or a folder. Nothing else is read."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from keyfront.core.urls import shown
from keyfront.errors import ServiceError

if TYPE_CHECKING:
    import httpx

MOST_BYTES: Final = 8 * 1024 * 1024
"""The most bytes of a manifest. A longer file is probably a film with the wrong name."""

_SECONDS: Final = 10.0
_GONE: Final = frozenset({403, 404, 410})  # S3 answers 403 for a missing object if the caller may not list.


class MissingManifestError(ServiceError):
    """The manifest does not exist."""


class Web:
    """Fetches manifests with one client, which keeps its connections. Redirects are not followed."""

    def __init__(self, headers: Mapping[str, str] | None = None) -> None:
        """Send `headers` with every request, such as a secret that the origin requires."""
        self._headers = dict(headers or {})
        self._client: httpx.AsyncClient | None = None

    async def read(self, url: str) -> str:
        """Return the text at `url`. Raises `MissingManifestError` and `ServiceError`."""
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
        """Close the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()


def fetch(url: str) -> str:
    """Return the manifest at `url`, for programs without an event loop. Raises as `Web.read`."""
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
    """Return the file `path` below the folder `root`. It follows no links out of the folder. Raises as `Web.read`."""
    file = (root / path).resolve()
    if not file.is_relative_to(root.resolve()) or not file.is_file():
        raise MissingManifestError(f"there is no file {path!r}")
    try:
        _check_size(file.stat().st_size, repr(path))
        return decoded(file.read_bytes(), repr(path))
    except OSError as error:
        raise ServiceError(f"{path!r} cannot be read: {error.strerror}") from None


def decoded(body: bytes, name: str) -> str:
    """Return a manifest's text. Line ends stay unchanged. Raises `ServiceError`."""
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise ServiceError(f"{name} is not UTF-8 text, so it is not a manifest") from None


def _check(status: int, url: str) -> None:
    if status in _GONE:
        raise MissingManifestError(f"the status of {shown(url)} is {status}")
    if status != 200:
        raise ServiceError(f"the status of {shown(url)} is {status}, not 200; redirects are not followed")


def _check_size(size: int, name: str) -> None:
    if size > MOST_BYTES:
        raise ServiceError(f"{name.partition('?')[0]} is over {MOST_BYTES:,} bytes, so it is not a manifest")


def _unreachable(url: str, error: Exception) -> ServiceError:
    return ServiceError(f"{shown(url)} cannot be fetched: {type(error).__name__}")


def _httpx() -> Any:
    try:
        import httpx
    except ModuleNotFoundError as error:
        text = "fetching manifests needs httpx: pip install httpx"
        raise ModuleNotFoundError(text, name=error.name) from None
    return httpx
