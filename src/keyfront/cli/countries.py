"""Read the file of `--countries`, for the commands with geo restrictions."""

import json
from pathlib import Path
from typing import Annotated

import typer

from keyfront.errors import InputError

Countries = Annotated[
    Path | None,
    typer.Option(
        "--countries",
        metavar="FILE",
        help='Networks and their countries, for geo restrictions: a JSON file such as {"203.0.113.0/24": "DE"}. '
        "Viewers from other networks are allowed.",
    ),
]


def networks(file: Path | None) -> dict[str, str]:
    """Return the networks and countries in `file`; nothing if there is no file.

    Raises `InputError` for a file that cannot be read or is not such a JSON object.
    """
    if file is None:
        return {}
    from keyfront.edge.request.geography import countries

    try:
        given = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read --countries {file}: {error.strerror}") from None
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise InputError(f'--countries {file} is not a JSON object: write {{"203.0.113.0/24": "DE"}}')
    countries(given)
    return given
