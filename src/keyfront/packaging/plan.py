"""What a package is for, and which wheels go into it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from keyfront.errors import InputError

ARCHITECTURES: Final = {"x86_64": "x86_64", "arm64": "aarch64"}
"""Lambda's names and the wheels'."""
EXTRAS: Final = ("dynamodb", "postgresql")
PYTHONS: Final = ("3.11", "3.12", "3.13", "3.14")
_AMAZON_LINUX_2: Final = ("3.11",)
"""Source: Lambda Developer Guide, "Lambda runtimes": Amazon Linux 2 has glibc 2.26, and later Pythons are on 2023."""
_GLIBC: Final = {False: ("2_34", "2_28", "2_17", "2014"), True: ("2_26", "2_17", "2014")}

_ALWAYS: Final = (
    "aws-lambda-powertools",
    "cffi",
    "cryptography",
    "jinja2",
    "jmespath",
    "joserfc",
    "markupsafe",
    "typing-extensions",
)
_WITH: Final = {"dynamodb": (), "postgresql": ("psycopg", "psycopg-binary", "sqlalchemy")}
"""DynamoDB is asked through botocore, which Lambda's Python has."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A package for one of Lambda's runtimes."""

    architecture: str = "x86_64"
    python: str = "3.12"
    extras: tuple[str, ...] = ()
    includes: tuple[Path, ...] = ()
    """Files and folders of the user's own, which go to the package's top."""
    bytecode: bool = False
    """Whether modules go along compiled, which needs a Python of the runtime's version here."""

    def __post_init__(self) -> None:
        for name, value, known in (
            ("architecture", self.architecture, tuple(ARCHITECTURES)),
            ("Python version", self.python, PYTHONS),
        ):
            if value not in known:
                raise InputError(f"the {name} {value!r} is not one of Lambda's: choose {', '.join(known)}")
        for extra in self.extras:
            if extra not in EXTRAS:
                raise InputError(f"there is nothing to add for {extra!r}: choose {', '.join(EXTRAS)}")
        for path in self.includes:
            if not path.exists():
                raise InputError(f"there is no file {str(path)!r} to include")

    @property
    def distributions(self) -> tuple[str, ...]:
        """What is taken from the package index, by name."""
        return tuple(sorted({*_ALWAYS, *(name for extra in self.extras for name in _WITH[extra])}))

    @property
    def platforms(self) -> tuple[str, ...]:
        """The wheels' platform tags that Lambda's machine runs, best first."""
        machine = ARCHITECTURES[self.architecture]
        versions = _GLIBC[self.python in _AMAZON_LINUX_2]
        return tuple(f"manylinux{'' if each == '2014' else '_'}{each}_{machine}" for each in versions)
