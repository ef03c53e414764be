"""`python -m tools.demo_files OUT` writes the three files of the bundled shop into the folder OUT."""

import sys
from collections.abc import Callable
from pathlib import Path

from tools.demo_files import book, guide, waltz

FILES: dict[str, Callable[[], bytes]] = {
    "harbour-lights.pdf": guide.make,
    "night-watch.flac": waltz.make,
    "the-keeper-of-small-lights.epub": book.make,
}


def main(arguments: list[str]) -> int:
    """Write every file. Return 0, or 2 if the folder is not given."""
    if len(arguments) != 1:
        sys.stderr.write(f"{(__doc__ or '').strip()}\n")
        return 2
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in FILES.items():
        content = make()
        (folder / name).write_bytes(content)
        sys.stdout.write(f"{folder / name}  {len(content):,} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
