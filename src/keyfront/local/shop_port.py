"""The shop of `keyfront up`. Its pages and its database are loaded with the first request."""

import asyncio
import logging
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse

from keyfront.keystore import KeyStore, SSMParameter
from keyfront.local.shop import Shop, load_shop
from keyfront.web.types import ASGIApp, Receive, Scope, Send

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

_log = logging.getLogger("keyfront.shop")


class LocalShop:
    """The shop of this machine, as an ASGI application, until `stop`."""

    def __init__(self, shop: Shop, content: Path | None, *, base_url: str, parameter: str, ssm: "SSMClient") -> None:
        """`content` is the folder that the shop follows, if any. Links begin with `base_url`.

        `parameter` names the signing key. Purchases are in a temporary folder, which `stop` removes.
        """
        self._shop, self._content = shop, content
        self._base_url, self._parameter, self._ssm = base_url, parameter, ssm
        self._made: asyncio.Future[ASGIApp] | None = None
        self._stack = ExitStack()
        self._purchases = self._stack.enter_context(TemporaryDirectory(prefix="keyfront-", ignore_cleanup_errors=True))

    def stop(self) -> None:
        """Close the database, and remove it."""
        self._stack.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if self._made is None:
            self._made = asyncio.ensure_future(asyncio.to_thread(self._make))
        making = self._made
        try:
            app = await asyncio.shield(making)
        except Exception as error:  # noqa: BLE001  such as a full disk: the next request tries again
            if self._made is making:
                self._made = None
                _log.error("the shop does not open: %s", error)
            app = PlainTextResponse("The shop does not open. The log of keyfront up says why.\n", 503)
        await app(scope, receive, send)

    def _make(self) -> ASGIApp:
        # These import SQLAlchemy and jinja2, half a second of CPU time.
        from keyfront.backend import Settings, connect, seed
        from keyfront.local.shop.app import shop_app
        from keyfront.local.shop.live import LiveCatalogue

        shop, folder = self._shop, self._content
        settings = Settings(
            base_url=self._base_url,
            signer=f"ssm:{self._parameter}",
            database_url=f"sqlite:///{self._purchases}/shop.db",
        )
        engine = connect(settings.database_url)
        self._stack.callback(engine.dispose)
        seed(engine, shop.items, shop.customers, shop.purchases)
        keystore = KeyStore(SSMParameter(self._parameter, self._ssm))
        live = LiveCatalogue(shop, partial(load_shop, folder), engine).refresh if folder else None
        return shop_app(settings, engine, keystore=keystore, title=shop.title, refresh=live)
