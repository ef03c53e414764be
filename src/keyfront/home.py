"""Where keyfront is published, and how it is installed: the one place that knows.

There is no published home yet. So no output links to one, and nothing tells anybody to install a name from a package
index that somebody else may hold.
"""

from typing import Final

HOME: Final = ""
"""The project's address, without a slash at its end; empty as long as it has none."""


def page(path: str) -> str:
    """The address of a page of the documentation (`docs/findings.md#expired`); empty as long as there is no home."""
    return f"{HOME}/blob/main/{path}" if HOME else ""


def install(extras: str = "") -> str:
    """What a person types who has a checkout or a wheel; `extras` are names with commas between."""
    what = f"'.[{extras}]'" if extras else "."
    return f"pip install {what} (in keyfront's folder; of a wheel, write its path for the dot)"
