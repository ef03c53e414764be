"""Sign without blocking the event loop: for aiohttp, httpx, Starlette and any other asyncio program."""

import asyncio
from collections.abc import Callable
from typing import TypeVar, Unpack

from keyfront.core.cookies import SignedCookies
from keyfront.core.keys import SigningKey
from keyfront.core.options import Terms, URLTerms
from keyfront.core.signing import Signer

Result = TypeVar("Result")


async def sign_url(signer: Signer, url: str, **terms: Unpack[URLTerms]) -> str:
    """Return what `Signer.sign_url` returns, without blocking the event loop."""
    return await off_loop(signer, lambda: signer.sign_url(url, **terms))


async def sign_cookies(signer: Signer, resource: str, **terms: Unpack[Terms]) -> SignedCookies:
    """Return what `Signer.sign_cookies` returns, without blocking the event loop."""
    return await off_loop(signer, lambda: signer.sign_cookies(resource, **terms))


async def sign_object(signer: Signer, key: str, *, domain: str, **terms: Unpack[Terms]) -> str:
    """Return what `Signer.sign_object` returns, without blocking the event loop."""
    return await off_loop(signer, lambda: signer.sign_object(key, domain=domain, **terms))


async def off_loop(signer: Signer, work: Callable[[], Result]) -> Result:
    """Return the result of `work`, which signs once with `signer`. It runs in a thread if a signature takes long.

    The way to a thread and back costs as much as three ECDSA signatures or one RSA signature (figures:
    docs/fastapi.md). A remote key, such as a key in KMS, may take any time.
    """
    if type(signer.key) is SigningKey and signer.key.algorithm == "ecdsa":
        return work()
    return await asyncio.to_thread(work)
