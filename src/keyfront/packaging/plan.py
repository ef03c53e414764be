"""The plan of a package: its runtime, its function and its wheels."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from keyfront.errors import InputError

ARCHITECTURES: Final = {"x86_64": "x86_64", "arm64": "aarch64"}
"""The machine names of Lambda and of wheels."""
EXTRAS: Final = ("dynamodb", "postgresql")
PYTHONS: Final = ("3.11", "3.12", "3.13", "3.14")
_AMAZON_LINUX_2: Final = ("3.11",)
"""Source: Lambda Developer Guide, "Lambda runtimes": Amazon Linux 2 has glibc 2.26, and later Pythons are on 2023."""
_GLIBC: Final = {False: ("2_34", "2_28", "2_17", "2014"), True: ("2_26", "2_17", "2014")}

FUNCTIONS: Final = {
    "download": "keyfront.backend.aws_lambda.handler",
    "rotation": "keyfront.account.rotation.secrets_manager.handler",
}
"""The functions that can be packaged, with their handlers."""
_ALWAYS: Final = {
    "download": ("cffi", "cryptography", "joserfc"),
    "rotation": ("cffi", "cryptography"),
}
_WITH: Final = {"dynamodb": (), "postgresql": ("psycopg", "psycopg-binary", "sqlalchemy", "typing-extensions")}
"""DynamoDB needs only botocore, which Lambda's Python has."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A package for one of Lambda's runtimes."""

    architecture: str = "x86_64"
    python: str = "3.12"
    extras: tuple[str, ...] = ()
    includes: tuple[Path, ...] = ()
    """The user's files and folders, which go to the package's top."""
    bytecode: bool = False
    """Whether to add compiled modules. This needs the runtime's version of Python here."""
    function: str = "download"
    """`download`, or `rotation`: the rotation function of a secret in Secrets Manager."""

    def __post_init__(self) -> None:
        for name, value, known in (
            ("architecture", self.architecture, tuple(ARCHITECTURES)),
            ("Python version", self.python, PYTHONS),
        ):
            if value not in known:
                raise InputError(f"the {name} {value!r} is not one of Lambda's: choose {', '.join(known)}")
        if self.function not in FUNCTIONS:
            raise InputError(f"there is no function {self.function!r}: choose {', '.join(FUNCTIONS)}")
        if self.extras and self.function != "download":
            raise InputError(f"{', '.join(self.extras)} is only for the download function: leave it out")
        for extra in self.extras:
            if extra not in EXTRAS:
                raise InputError(f"there is nothing to add for {extra!r}: choose {', '.join(EXTRAS)}")
        for path in self.includes:
            if not path.exists():
                raise InputError(f"there is no file {str(path)!r} to include")

    @property
    def distributions(self) -> tuple[str, ...]:
        """The names of the packages from the package index."""
        return tuple(sorted({*_ALWAYS[self.function], *(name for extra in self.extras for name in _WITH[extra])}))

    @property
    def platforms(self) -> tuple[str, ...]:
        """The platform tags of wheels that run on Lambda's machine, best first."""
        machine = ARCHITECTURES[self.architecture]
        versions = _GLIBC[self.python in _AMAZON_LINUX_2]
        return tuple(f"manylinux{'' if each == '2014' else '_'}{each}_{machine}" for each in versions)
