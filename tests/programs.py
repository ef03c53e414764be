"""Programs beside Python that tests use, and what installs them. Run as a script, it prints the packages to install."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

PACKAGES: Final[Mapping[str, str]] = {
    "certutil": "libnss3-tools",
    "bash": "bash",
    "chromium": "chromium",
    "curl": "curl",
    "epubcheck": "epubcheck",
    "ffmpeg": "ffmpeg",
    "find": "findutils",
    "initdb": "postgresql",
    "java": "default-jre-headless",
    "jq": "jq",
    "nginx": "nginx",
    "node": "nodejs",
    "npm": "npm",
    "openssl": "openssl",
    "pdftoppm": "poppler-utils",
    "pdftotext": "poppler-utils",
    "php": "php-cli",
    "systemd-analyze": "systemd",
    "wrk": "wrk",
}
"""The Debian package of each program. The AWS CLI comes with `make`; Terraform has a home of its own."""

_ELSEWHERE: Final[Mapping[str, str]] = {
    "aws": "pip install awscli",
    "terraform": "https://developer.hashicorp.com/terraform/install",
}


def find(program: str) -> Path | None:
    """Where a program is: on the PATH, or where Debian keeps it beside the PATH."""
    beside = [Path("/usr/sbin"), *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    found = shutil.which(program) or next((str(d / program) for d in beside if (d / program).exists()), None)
    return Path(found) if found else None


def how_to_install(program: str) -> str:
    """The command, or the page, that installs a program."""
    package = PACKAGES.get(program)
    return f"apt-get install {package}" if package else _ELSEWHERE.get(program, f"install {program}")


def missing_packages() -> list[str]:
    """The Debian packages of what is not on this machine."""
    return sorted({package for program, package in PACKAGES.items() if find(program) is None})


if __name__ == "__main__":
    print(" ".join(missing_packages()))
