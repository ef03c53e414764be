"""Signing in an event loop without stopping it: for aiohttp, httpx, Starlette and anything else on asyncio."""

import asyncio
from collections.abc import Callable
from typing import TypeVar, Unpack

from keyfront.core.cookies import SignedCookies
from keyfront.core.keys import SigningKey
from keyfront.core.options import Terms, URLTerms
from keyfront.core.signing import Signer

Result = TypeVar("Result")


async def sign_url(signer: Signer, url: str, **terms: Unpack[URLTerms]) -> str:
    """As `Signer.sign_url`; the event loop goes on meanwhile."""
    return await off_loop(signer, lambda: signer.sign_url(url, **terms))


async def sign_cookies(signer: Signer, resource: str, **terms: Unpack[Terms]) -> SignedCookies:
    """As `Signer.sign_cookies`; the event loop goes on meanwhile."""
    return await off_loop(signer, lambda: signer.sign_cookies(resource, **terms))


async def sign_object(signer: Signer, key: str, *, domain: str, **terms: Unpack[Terms]) -> str:
    """As `Signer.sign_object`; the event loop goes on meanwhile."""
    return await off_loop(signer, lambda: signer.sign_object(key, domain=domain, **terms))


async def off_loop(signer: Signer, work: Callable[[], Result]) -> Result:
    """What `work` returns, which signs once with `signer`: from a thread, where a signature takes longer than the way.

    The way to a thread and back costs three ECDSA signatures, or one of RSA (figures: docs/fastapi.md). A key that is
    elsewhere, such as in KMS, may take any time.
    """
    if type(signer.key) is SigningKey and signer.key.algorithm == "ecdsa":
        return work()
    return await asyncio.to_thread(work)
