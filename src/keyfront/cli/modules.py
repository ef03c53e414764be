"""Copies the Terraform modules that keyfront brings, for a configuration."""

import shutil
from pathlib import Path
from typing import Final

from keyfront.bundled import terraform_modules
from keyfront.errors import InputError

_UNWANTED: Final = shutil.ignore_patterns("tests", ".terraform*", "*.tfstate*")


def copy(out: Path) -> list[Path]:
    """Copy the modules into `out`, and return their folders. Never overwrites a folder.

    Raises `InputError` if one exists already, or cannot be written.
    """
    source = terraform_modules()
    made: list[Path] = []
    for module in sorted(each for each in source.iterdir() if (each / "main.tf").is_file()):
        place = out / module.name
        try:
            shutil.copytree(module, place, ignore=_UNWANTED)
        except FileExistsError:
            raise InputError(f"{place} exists: delete it, or choose another --out") from None
        except shutil.Error as error:
            raise InputError(f"cannot write {place}: {error}") from None
        except OSError as error:
            raise InputError(f"cannot write {place}: {error.strerror}") from None
        made.append(place)
    return made
