"""Draws the rooms of keyfront from the imports, and fails if a room imports one that it may not.

    python tools/rooms.py            # check, and compare the picture in docs/ with the code
    python tools/rooms.py --write    # check, and draw the picture again

A room is a folder of src/keyfront. `ROOMS` lists them from top to bottom, each with the rooms that it may import. Two
rooms never import each other, and modules never import each other in a circle.
"""

import ast
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

ROOT: Final = Path(__file__).parent.parent
SOURCE: Final = ROOT / "src" / "keyfront"
PICTURE: Final = ROOT / "docs" / "rooms.svg"
GROUND: Final = "errors"
ALL_BELOW: Final = "*"


@dataclass(frozen=True)
class Room:
    """A room: its folder, its purpose in a few words, and the rooms that it may import."""

    name: str
    purpose: str
    may_import: tuple[str, ...]


ROOMS: Final = (
    Room("cli", "the commands", (ALL_BELOW,)),
    Room("testing", "CloudFront for other people's tests", (ALL_BELOW,)),
    Room("local", "everything on one machine", (ALL_BELOW,)),
    Room("console", "pages over an account", ("account", "explain", "inventory", "keystore", "web", "core")),
    Room("packaging", "packages for Lambda", ("backend", "keystore", "core")),
    Room("edge", "decide, cache, fetch, respond", ("explain", "inventory", "web", "core")),
    Room("backend", "the download service", ("keystore", "web", "core")),
    Room("integrations", "frameworks, SDKs, streams, tables, the CDK", ("explain", "keystore", "web", "core")),
    Room("account", "audit, rotation, key groups of an account", ("explain", "inventory", "keystore", "core")),
    Room("explain", "why a request was refused", ("inventory", "core")),
    Room("inventory", "an account as plain values", ("core",)),
    Room("keystore", "where signing keys are kept", ("core",)),
    Room("web", "listeners, and access to local ports", ()),
    Room("core", "keys, policies, signing, verification", ()),
    Room(GROUND, "errors, and helpers for every room", ()),
)
"""Every room may import the last one. The package itself (`from keyfront import Signer`) only re-exports names."""

BY_NAME: Final = {room.name: room for room in ROOMS}
ORDER: Final = {room.name: number for number, room in enumerate(ROOMS)}


def main(arguments: list[str]) -> int:
    """Check, and draw or compare the picture. Return the exit code."""
    modules = dict(_modules())
    imports = {name: set(_imports(tree, name, modules)) for name, (_, tree) in modules.items()}
    faults = [*_forbidden(imports), *_circles(imports)]
    lines: Counter[str] = Counter()
    for name, (length, _) in modules.items():
        lines[room_of(name)] += length
    picture = draw(_arrows(imports), lines)
    if "--write" in arguments:
        PICTURE.write_text(picture, encoding="utf-8")
    elif not PICTURE.exists() or _shape(PICTURE.read_text(encoding="utf-8")) != _shape(picture):
        faults.append(f"{PICTURE.relative_to(ROOT)} does not match the code: run python tools/rooms.py --write")
    for fault in faults:
        sys.stderr.write(f"{fault}\n")
    return 1 if faults else 0


def room_of(module: str) -> str:
    """Return the room of a module, such as `core` for `keyfront.core.keys`. Top-level modules are in the last room."""
    name = module.split(".")[1] if "." in module else ""
    if name == "__main__":
        return "cli"
    return name if name in BY_NAME else GROUND


def _modules() -> Iterator[tuple[str, tuple[int, ast.Module]]]:
    for path in sorted(SOURCE.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        name = ".".join(["keyfront", *path.relative_to(SOURCE).with_suffix("").parts]).removesuffix(".__init__")
        yield name, (text.count("\n"), ast.parse(text))


def _imports(tree: ast.Module, importer: str, modules: Mapping[str, object]) -> Iterator[str]:
    """Yield keyfront's modules that a module imports, at its top or in a function, also for types."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found = [f"{node.module}.{alias.name}" for alias in node.names]
            found = [each if each in modules else node.module for each in found]
        else:
            continue
        yield from (each for each in found if each in modules and each != importer)


def _forbidden(imports: Mapping[str, set[str]]) -> Iterator[str]:
    for importer, imported in imports.items():
        here = room_of(importer)
        if importer == "keyfront":
            continue
        for each in sorted(imported):
            there = "core" if each == "keyfront" else room_of(each)
            if there in (here, GROUND):
                continue
            if ORDER[there] < ORDER[here]:
                yield f"{importer} imports {each}: {there} is above {here}"
            elif not {ALL_BELOW, there} & set(BY_NAME[here].may_import):
                yield f"{importer} imports {each}: {here} may not import {there}"


def _circles(imports: Mapping[str, set[str]]) -> Iterator[str]:
    # A package re-exports names of its modules, which may import the package's other modules by its name.
    graph = {name: {each for each in found if not name.startswith(f"{each}.")} for name, found in imports.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        yield f"a circle of imports: {' -> '.join(reversed(error.args[1]))}"


def _arrows(imports: Mapping[str, set[str]]) -> Counter[tuple[str, str]]:
    inside = {name: found for name, found in imports.items() if name != "keyfront"}
    pairs = ((room_of(importer), room_of(each)) for importer, found in inside.items() for each in found)
    return Counter((here, there) for here, there in pairs if here != there and there != GROUND)


_ROW: Final = 44
_BOX: Final = 430
_WIDTH: Final = 760
_COLOURS: Final = ("#0b6e99", "#b35c00", "#5b3fa0", "#2e7d32", "#b3261e", "#00695c", "#8d6e00", "#ad1457")


def draw(arrows: Mapping[tuple[str, str], int], lines: Mapping[str, int]) -> str:
    """Return the rooms from top to bottom as an SVG, with an arc for each room that imports another."""
    height = len(ROOMS) * _ROW + 24
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" '
            f'font-size="14" role="img" aria-label="The rooms of keyfront and their imports, which all go down">'
        ),
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
    ]
    for number, room in enumerate(ROOMS):
        top = 12 + number * _ROW
        colour = _COLOURS[number % len(_COLOURS)]
        parts.append(
            f'<rect x="12" y="{top}" width="{_BOX}" height="{_ROW - 10}" rx="6" fill="#f6f8fa" stroke="{colour}"/>'
            f'<text x="24" y="{top + 22}" font-weight="bold" fill="#1f2328">{room.name}</text>'
            f'<text x="140" y="{top + 22}" fill="#424a53">{escape(room.purpose)}</text>'
            f"<title>{room.name}: about {_rounded(lines.get(room.name, 0))} lines</title>"
        )
    for (here, there), count in sorted(arrows.items()):
        first, last = ORDER[here], ORDER[there]
        leave, enter = (12 + row * _ROW + _ROW / 2 + shift for row, shift in ((first, -1), (last, -9)))
        reach = _BOX + 12 + 26 * abs(last - first)
        width = 1 if count < 5 else 2 if count < 20 else 3
        parts.append(
            f'<path d="M {_BOX + 12} {leave:g} C {reach} {leave:g} {reach} {enter:g} {_BOX + 14} {enter:g}" '
            f'fill="none" stroke="{_COLOURS[first % len(_COLOURS)]}" stroke-width="{width}" opacity="0.8">'
            f"<title>{here} imports {there}</title></path>"
            f'<circle cx="{_BOX + 14}" cy="{enter:g}" r="3" fill="{_COLOURS[first % len(_COLOURS)]}"/>'
        )
    return "\n".join([*parts, "</svg>", ""])


def _rounded(lines: int) -> int:
    return round(lines, -2)


def _shape(picture: str) -> list[str]:
    """Return the part that must match the code: which room imports which. Lengths and line widths may differ."""
    return [title for title in picture.split("<title>")[1:] if " imports " in title.partition("</title>")[0]]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
