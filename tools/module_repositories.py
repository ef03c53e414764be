"""Lays out each Terraform module as a repository of its own, as registries want it.

    python tools/module_repositories.py --namespace NAMESPACE --out repositories

Each repository is called terraform-aws-NAME. It has the module and its tests, the license, a README, and the examples
that use the module. In these, modules come from the registry, in the version that is released.
"""

import argparse
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from keyfront import __version__, home

ROOT: Final = Path(__file__).parent.parent
TERRAFORM: Final = ROOT / "terraform"
_PROVIDER: Final = "aws"
_UNWANTED: Final = shutil.ignore_patterns(
    ".terraform*", "*.tfstate*", "*.auto.tfvars*", "*_override.tf", "keys", "function.zip"
)
_NAMESPACE: Final = re.compile(r"([a-z0-9.-]+(:[0-9]+)?/)?[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_SOURCE: Final = re.compile(r'^( *)source( *)= "\.{1,2}/(?:[^"/\n]+/)*([a-z-]+)"$', re.MULTILINE)
_LINK: Final = re.compile(r"\[([^\]]*)\]\(([^):#]*)(#[^)]*)?\)")


@dataclass(frozen=True)
class Release:
    """What is released: every module with the same version, below one namespace of a registry."""

    namespace: str
    version: str

    def source(self, found: re.Match[str]) -> str:
        """Return the lines for a module that a file takes from a folder."""
        indent, space, name = found.groups()
        if name not in modules():
            return found[0]
        # As `terraform fmt` aligns them, also with a longer argument beside them.
        column = max(len("source") + len(space), len("version "))
        lines = {"source": f"{self.namespace}/{name}/{_PROVIDER}", "version": self.version}
        return "\n".join(f'{indent}{argument:{column}}= "{value}"' for argument, value in lines.items())


def main(arguments: list[str]) -> int:
    """Write the repositories, and print the tag for each. Return the exit code."""
    parser = argparse.ArgumentParser(prog="module_repositories", description="Lay out a repository for each module.")
    parser.add_argument("--namespace", required=True, help="yours at the registry; HOST/NAMESPACE for a private one")
    parser.add_argument("--version", default=__version__, help=f"the version to release; default {__version__}")
    parser.add_argument("--out", type=Path, default=Path("repositories"), help="the folder for the repositories")
    given = parser.parse_args(arguments)
    if not _NAMESPACE.fullmatch(given.namespace):
        parser.error(
            f"{given.namespace!r} is not a namespace: give NAMESPACE, or HOST/NAMESPACE for a private registry"
        )
    if not re.fullmatch(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?", given.version):
        parser.error(f"{given.version!r} is not a version of a registry: give three numbers, such as 1.2.3")
    release = Release(given.namespace, given.version)
    places = {name: given.out / f"terraform-{_PROVIDER}-{name}" for name in modules()}
    if existing := [place for place in places.values() if place.exists()]:
        parser.error(f"{existing[0]} exists: delete it, or choose another --out")
    for name, place in places.items():
        lay_out(name, place, release)
        print(f"{place}: commit it, and tag it v{release.version}")  # noqa: T201  a program's output
    return 0


def modules() -> list[str]:
    """Return the names of the modules."""
    return sorted(file.parent.name for file in (TERRAFORM / "modules").glob("*/main.tf"))


def lay_out(name: str, place: Path, release: Release) -> None:
    """Write one module's repository to `place`."""
    shutil.copytree(TERRAFORM / "modules" / name, place, ignore=_UNWANTED)
    for example in _examples(name):
        shutil.copytree(example, place / "examples" / example.name, ignore=_UNWANTED)
    shutil.copy(ROOT / "LICENSE", place)
    shutil.copy(TERRAFORM / "examples" / ".gitignore", place)
    for file in sorted(place.rglob("*")):
        if file.suffix in (".tf", ".hcl", ".md"):
            text = _SOURCE.sub(release.source, file.read_text("utf-8"))
            if file.suffix == ".md":
                text = _page(text, _origin(name, file.relative_to(place)), file.parent)
            file.write_text(text, "utf-8")


def _examples(name: str) -> Iterator[Path]:
    for main_file in sorted((TERRAFORM / "examples").glob("*/main.tf")):
        if f'"../../modules/{name}"' in main_file.read_text("utf-8"):
            yield main_file.parent


def _origin(name: str, file: Path) -> Path:
    """Return the folder here from which a file of a module's repository comes."""
    if file.parts[0] == "examples":
        return (TERRAFORM / file).parent
    return (TERRAFORM / "modules" / name / file).parent


def _page(text: str, origin: Path, place: Path) -> str:
    """Return a page whose commands start in its own repository, and whose links lead somewhere."""

    def link(found: re.Match[str]) -> str:
        words, target, anchor = found.groups()
        if not target or (place / target).exists():
            return found[0]
        path = (origin / target).resolve().relative_to(ROOT.resolve())
        address = home.page(f"{path}{anchor or ''}")
        return f"[{words}]({address})" if address else words

    return _LINK.sub(link, text.replace("terraform/examples/", "examples/"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
