"""`keyfront up`: start the machine, print its addresses, and stop on Ctrl-C."""

import asyncio
import json
import logging
import shlex
import shutil
import signal
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from keyfront.errors import KeyfrontError
from keyfront.garbage import keep_loaded
from keyfront.local import clients as aws
from keyfront.local.edge_fleet import EdgePorts
from keyfront.local.machine import Machine, Options, Running
from keyfront.local.provision import KEY_GROUP
from keyfront.web.draining import Ending

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Options", "run"]

_log = logging.getLogger(__name__)


def run(options: Options) -> None:
    """Run until SIGINT, SIGTERM or SIGHUP. Raises `KeyfrontError` if the machine cannot start."""
    asyncio.run(_run(options))


async def _run(options: Options) -> None:
    ending = Ending(options.drain_seconds)
    ending.on(signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    machine = Machine(options)
    starting = asyncio.create_task(machine.start())
    waiting = asyncio.create_task(ending.asked.wait())
    try:
        await asyncio.wait({starting, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            running = starting.result()
            keep_loaded()
            print(json.dumps(as_json(running)), flush=True) if options.json else _print(running)  # noqa: T201
            await waiting
    finally:
        starting.cancel()
        waiting.cancel()
        await asyncio.gather(starting, waiting, return_exceptions=True)
        failure = sys.exception()
        try:
            await machine.stop(ending.drain)
        except KeyfrontError as error:
            if failure is None:
                raise
            # The first failure is the one to tell: it is raised from here.
            _log.error("%s", error)


def as_json(running: Running) -> dict[str, object]:
    """Return the document that `keyfront up --json` prints in one line, once everything runs."""
    made, edge = running.provisioned, running.edge
    return {
        "console": running.console_url,
        "endpoint": running.endpoint,
        "environment": aws.environment(running.endpoint),
        "shop": running.shop_url,
        "edge": {
            "http": running.http_url,
            "https": f"https://{made.domain_name}",
            "locations": [asdict(location) for location in edge.locations],
            "propagation_delay": edge.delay,
        },
        "admin": running.admin,
        "authority": str(edge.authority.absolute()),
        "distribution": {"id": made.distribution_id, "domain_name": made.domain_name},
        "key_group": made.key_group_id,
        "key_pair_id": made.key_pair_id,
        "private_key": str(running.private_key.absolute()),
        "public_key": str(running.public_key.absolute()),
        "bucket": made.bucket,
        "parameter": made.parameter,
        "items": [
            {"id": item.id, "key": item.key, "path": quote(item.key), "file": str(running.shop.path(item))}
            for item in running.shop.items
        ],
    }


def _print(running: Running) -> None:
    from rich.console import Console

    made = running.provisioned
    console = Console(highlight=False, soft_wrap=True)
    console.print("\nPrivate content on this machine, from a key to a download:\n", style="bold")
    admin = [("Admin", running.admin, "/metrics, /healthz, /readyz")] if running.admin else []
    for name, where, remark in (
        ("Console", running.console_url, "keys, groups, behaviors, links, and why a link is refused"),
        ("Shop", running.shop_url, "sign in, download what you bought"),
        ("Edge", f"https://{made.domain_name}", "allows and refuses as CloudFront does"),
        ("", running.http_url, "the same for browsers, which do not trust the authority"),
        ("AWS endpoint", running.endpoint, "CloudFront by keyfront, other services by moto"),
        ("Distribution", made.distribution_id, f"its files are in s3://{made.bucket}"),
        ("Key group", made.key_group_id, KEY_GROUP),
        ("Key pair", made.key_pair_id, str(running.private_key)),
        ("Authority", str(running.edge.authority), "signs the edge's certificate: curl --cacert"),
        *admin,
    ):
        console.print(f"  [bold]{name:<13}[/bold] {where:<53} [dim]{remark}[/dim]")
    if len(running.edge.locations) > 1 or running.edge.delay:
        _print_locations(console, running.edge)
    for name, why in running.shop.left_out.items():
        console.print(f"  Not for sale: {name!r} {why}", style="yellow", markup=False)
    console.print("\nTry it in another terminal, in this folder:\n", style="bold")
    for line in _steps(running):
        console.print(line, style="dim" if line.startswith("#") else None, markup=False)
    console.print("\nIn a browser:\n", style="bold")
    for where in (running.console_url, running.shop_url):
        console.print(f"  {where}", markup=False)
    console.print("\nCtrl-C stops everything.", style="bold")


def _print_locations(console: "Console", edge: EdgePorts) -> None:
    console.print(f"\nA change reaches the last location after {edge.delay:g} seconds:\n", style="bold")
    for location in edge.locations:
        choice = f"curl --connect-to ::127.0.0.1:{location.http} URL, over https {location.https}"
        console.print(f"  [bold]{location.name:<13}[/bold] {choice}")


def _steps(running: Running) -> Iterator[str]:
    """Yield a command to copy for each step, from a request without a signature to a key that is no longer trusted."""
    made, item = running.provisioned, running.shop.items[0]
    keyfront, aws_cli = _command("keyfront"), _command("aws")
    name = shlex.quote(Path(item.key).name)
    sign = f'{keyfront} sign "$FILE" --key-id {made.key_pair_id} --private-key {shlex.quote(str(running.private_key))}'
    exports = " ".join(f"{variable}={value}" for variable, value in aws.environment(running.endpoint).items())
    yield f"export {exports}"
    yield f"FILE={shlex.quote(f'{running.http_url}/{quote(item.key)}')}"
    yield "# the trusted keys"
    yield f"{aws_cli} cloudfront list-key-groups"
    yield "# no signature: 403, MissingKey"
    yield 'curl -i "$FILE"'
    yield "# signed: 200, and the file"
    yield f'curl -o {name} "$({sign} --expires 1h)"'
    yield "# one character changed: 403, AccessDenied"
    yield f"curl -i \"$({sign} --expires 1h | sed 's/Expires=1/Expires=2/')\""
    yield "# three seconds later: 403, AccessDenied"
    yield f'LINK="$({sign} --expires 2s)"; sleep 3; curl -i "$LINK"'
    yield "# the key taken out of the group: 403, InvalidKey, within seconds (groups add brings it back)"
    yield f"{keyfront} groups remove {KEY_GROUP} {made.key_pair_id}"


def _command(name: str) -> str:
    """Return how the user can call a program: by its name, or by its path beside this Python."""
    beside = Path(sys.executable).with_name(name)
    if shutil.which(name) or not beside.exists():
        return name
    here = Path.cwd()
    return shlex.quote(str(beside.relative_to(here) if beside.is_relative_to(here) else beside))
