"""The Terraform modules that keyfront brings: inside the package in a wheel, beside it in a checkout."""

from importlib.resources import files
from pathlib import Path

from keyfront.errors import InputError


def terraform_modules() -> Path:
    """Return the folder of the modules. Raises `InputError` if this installation has none."""
    package = Path(str(files("keyfront")))
    for folder in (package / "terraform", package.parents[1] / "terraform" / "modules"):
        if folder.is_dir():
            return folder
    raise InputError("this installation has no Terraform modules: install keyfront from a wheel or a checkout")
