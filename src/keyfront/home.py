"""Where keyfront is published, and how it is installed. No other module knows this.

keyfront is not published yet. So no output links to a home page, and no text tells a person to install a name from a
package index, where someone else may own that name.
"""

from typing import Final

HOME: Final = ""
"""The project's address, without a slash at its end; empty while there is none."""


def page(path: str) -> str:
    """Return the address of a page of the documentation (`docs/findings.md#expired`); empty while `HOME` is."""
    return f"{HOME}/blob/main/{path}" if HOME else ""


def install(extras: str = "") -> str:
    """Return the command that installs keyfront from a checkout or a wheel; `extras` is a comma-separated list."""
    what = f"'.[{extras}]'" if extras else "."
    return f"pip install {what} (in keyfront's folder; for a wheel, write its path instead of the dot)"
