"""AWS SDKs in functions: a folder of Amazon's clients for Node.js, and lines in the log about SDKs that do not work.

Lambda's Node.js runtimes contain version 3 of the SDK. The laptop takes it from a folder of the user's, because it is
large and changes often. An SDK must know the laptop's endpoint, which is in `AWS_ENDPOINT_URL`.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from keyfront.errors import InputError
from keyfront.local.lambdas.runtime_api import Outcome

_PACKAGES: Final = "node_modules/@aws-sdk"
_MAKE: Final = "npm install --prefix {folder} {client}"
_SEVERAL: Final = "@aws-sdk/client-ssm @aws-sdk/client-s3"
_MISSING: Final = re.compile(rb"Cannot find (?:module|package) '((?:@aws-sdk/|aws-sdk)[a-z0-9-]*)")
_BOTOCORE: Final = re.compile(r"botocore-(\d+)\.(\d+)[.\d]*\.dist-info")
_FIRST_BOTOCORE: Final = (1, 31)
"""The first version that reads AWS_ENDPOINT_URL. Source: AWS SDKs and Tools Reference Guide, "Service-specific
endpoints"."""


def node_sdk(folder: Path) -> Path:
    """Return the folder of packages in `folder`. Raises `InputError` if there are no clients of Amazon's in it."""
    if not (folder / _PACKAGES).is_dir():
        make = _MAKE.format(folder=folder, client=_SEVERAL)
        raise InputError(f"{folder} has no {_PACKAGES}: name there each client that your functions use, such as {make}")
    return (folder / "node_modules").resolve()


def provide(packages: Path, above: Path) -> None:
    """Let Node.js find `packages` for all code below the folder `above`. Node looks in all folders above a module."""
    (above / "node_modules").symlink_to(packages, target_is_directory=True)


def notes(*folders: Path) -> Iterator[str]:
    """Yield a line for each SDK in these folders of a function that does not read AWS_ENDPOINT_URL."""
    for folder in folders:
        for found in folder.glob("botocore-*.dist-info"):
            version = _BOTOCORE.fullmatch(found.name)
            if version is not None and (int(version[1]), int(version[2])) < _FIRST_BOTOCORE:
                yield (
                    f"keyfront: {found.name.removesuffix('.dist-info')} in the package does not read AWS_ENDPOINT_URL, "
                    "so its calls go to Amazon, which refuses them. Pack version 1.31 or later, or pass "
                    'endpoint_url=os.environ["AWS_ENDPOINT_URL"] to each client.'
                )


def hint(outcome: Outcome) -> str | None:
    """Return a line about the SDK that a function did not find, or `None` if that is not its error."""
    found = _MISSING.search(outcome.payload) if outcome.error_type is not None else None
    if found is None:
        return None
    name = found[1].decode()
    if name == "aws-sdk":
        return "keyfront: Lambda's runtimes since Node.js 18 do not contain aws-sdk (version 2): pack it."
    make = _MAKE.format(folder="sdk", client=name)
    return f"keyfront: Amazon's clients for Node.js are not on the laptop. Run {make}, then keyfront up --node-sdk sdk."
