"""Writes docs/conformance.md: each operation and each error of CloudFront's API, and whether it is there.

`python tests/local/conformance/table.py` writes it; with `--check` it says whether what is written is current. What is
there comes from the control plane, what there could be from botocore's service model, and where it is tested from the
tests; `notes.toml` and `moto.toml` hold what no program can know.
"""

from __future__ import annotations

import re
import sys
import textwrap
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from botocore import xform_name

from keyfront.local.controlplane.model import error_statuses, service_model
from keyfront.local.controlplane.plane import OPERATIONS

_HERE = Path(__file__).parent
_ROOT = _HERE.parents[2]
_PAGE = _ROOT / "docs" / "conformance.md"
_COMMAND = "python tests/local/conformance/table.py"


def page() -> str:
    """The whole page."""
    notes, moto = _toml("notes.toml"), _toml("moto.toml")
    parts = [_opening(notes), _rules(notes), _operations(notes), _errors(), _moto(moto)]
    return "\n".join(_wrapped(line) for line in "\n\n".join(parts).split("\n")) + "\n"


def _wrapped(line: str) -> str:
    """The line as lines of at most 100 columns; a table's row and a heading stay one."""
    if line.startswith(("|", "#")):
        return line
    indent = "  " if line.startswith("- ") else ""
    return textwrap.fill(line, 100, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _opening(notes: dict[str, Any]) -> str:
    known, differing = service_model().operation_names, notes["operations"]
    return f"""# What of CloudFront's API is there

`keyfront up` and `keyfront.local.controlplane` answer {len(OPERATIONS)} of the {len(known)} operations in the API's \
model ({len(differing)} of them differ from the real ones in a way that this page names). Every other \
one is refused by its name, with `NotImplemented` (501): nothing pretends to have worked.

- **works**: as in the API model, the API Reference and the Developer Guide, as far as our tests look.
- **differs**: it is there, with a difference that its row names.
- **not there**: refused.

`{_COMMAND}` writes this page, and a test compares it with the code. The real Terraform applies, changes, \
imports and destroys every resource of these families in our tests (`tests/terraform`). What the edge does with \
a configuration is in [what differs from Amazon](laptop.md#what-differs-from-amazon)."""


def _rules(notes: dict[str, Any]) -> str:
    rows = [
        (rule["rule"], ", ".join(f"`{code}`" for code in rule["errors"]), _all_tested(rule["errors"]))
        for rule in notes["rules"]
    ]
    return "## Rules of private content\n\n" + _table(("rule", "error", "state", "tested in"), _stated(rows))


def _stated(rows: Iterable[tuple[str, str, list[str]]]) -> Iterable[tuple[str, ...]]:
    for rule, errors, tested in rows:
        yield rule, errors, "works" if tested else "not there", _links(tested)


def _operations(notes: dict[str, Any]) -> str:
    rows = []
    for name in sorted(service_model().operation_names):
        tested = _tests_of(xform_name(name)) if name in OPERATIONS else []
        state = "works" if name in OPERATIONS else "not there"
        if name in notes["operations"]:
            state = f"differs: {notes['operations'][name]}"
        rows.append((f"`{name}`", state, _links(tested)))
    return "## Operations\n\n" + _table(("operation", "state", "tested in"), rows)


def _errors() -> str:
    rows = [
        (f"`{code}`", str(status), "works" if (tested := _tests_of(code)) else "not there", _links(tested))
        for code, status in sorted(error_statuses().items())
    ]
    opening = (
        "## Errors\n\nEvery error code of the API model. One that *works* is expected by a test of ours that breaks "
        "its rule; one that is *not there* belongs to operations or settings that are not, or its rule is not kept."
    )
    return f"{opening}\n\n" + _table(("code", "status", "state", "tested in"), rows)


def _moto(moto: dict[str, Any]) -> str:
    groups = moto["differs"]
    never = [g for g in groups if not g.get("without_identity_only") and not g.get("either_way")]
    chance = sum(g["cases"] for g in groups if g.get("either_way"))
    identity = sum(g["cases"] for g in groups if g.get("without_identity_only"))
    failing = sum(g["cases"] for g in never)
    rightly = sum(g["cases"] for g in groups if g.get("moto_is_right"))
    passing = moto["tests"] - failing - chance
    rows = [(str(group["cases"]), _verdict(group), group["because"]) for group in groups]
    return f"""## moto's tests of CloudFront

moto 5.2.5 has {moto["tests"]} of them. They run in our CI against our endpoint, in moto's server mode, from moto's \
source distribution (`tests/local/conformance`). The one that its authors have verified against AWS passes.

- **{passing - identity}** pass on an empty account, and **{passing}** once it has the origin access identity that \
moto's example configurations name.
- **{failing}** fail in any case. In {failing - rightly} of them moto expects what the real service refuses or answers \
in another way (32 are cases of one test); in {rightly} moto is right, and we are not.
- **{chance}** passes or fails by chance.

{_table(("tests", "nearer to the real service", "why"), rows)}"""


def _verdict(group: dict[str, Any]) -> str:
    return "moto" if group.get("moto_is_right") else ("neither is known" if group.get("either_way") else "keyfront")


def _all_tested(codes: list[str]) -> list[str]:
    """The files that test these errors; none when one of them is tested nowhere."""
    files = [_tests_of(code) for code in codes]
    return list(dict.fromkeys(name for found in files for name in found[:1])) if all(files) else []


def _tests_of(name: str) -> list[str]:
    """The two test files that have most to do with `name`, an error code or a client's method."""
    word = re.compile(rf"\b{name}\b")
    counts = {file: len(word.findall(text)) for file, text in _tests().items()}
    built = [file for file, names in _toml("notes.toml")["built_names"].items() if name in names]
    return [*built, *sorted((file for file in counts if counts[file]), key=lambda file: (-counts[file], file))][:2]


@cache
def _tests() -> dict[str, str]:
    folder = _HERE.parent / "controlplane"
    about_all = {f"test_{name}.py" for name in _toml("notes.toml")["about_all"]}
    return {file.name: file.read_text("utf-8") for file in folder.glob("test_*.py") if file.name not in about_all}


def _links(files: list[str]) -> str:
    return ", ".join(f"[{Path(file).stem}](../tests/local/controlplane/{file})" for file in files)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads((_HERE / name).read_text("utf-8"))


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(0 if _PAGE.read_text("utf-8") == page() else f"docs/conformance.md is not current: run {_COMMAND}")
    _PAGE.write_text(page(), "utf-8")
