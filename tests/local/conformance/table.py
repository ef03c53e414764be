"""Write docs/conformance.md: each operation and each error of CloudFront's API, and whether keyfront has it.

`python tests/local/conformance/table.py` writes the page; `--check` fails if the page is not current. The operations of
the API come from botocore's service model, those of keyfront from the control plane, and the test files from the tests.
`notes.toml`, `moto.toml` and `moto_stacks.toml` have the texts that no program can find out.
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
    """Return the whole page."""
    notes, moto = _toml("notes.toml"), _toml("moto.toml")
    stacks = _stacks(_toml("moto_stacks.toml"))
    parts = [_opening(notes), _rules(notes), _operations(notes), _errors(), _moto(moto), stacks]
    return "\n".join(_wrapped(line) for line in "\n\n".join(parts).split("\n")) + "\n"


def _wrapped(line: str) -> str:
    """Wrap a line at 100 columns, except a row of a table and a heading."""
    if line.startswith(("|", "#")):
        return line
    indent = "  " if line.startswith("- ") else ""
    return textwrap.fill(line, 100, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _opening(notes: dict[str, Any]) -> str:
    known, differing = service_model().operation_names, notes["operations"]
    return f"""# CloudFront's API on the laptop

`keyfront up` and `keyfront.local.controlplane` have {len(OPERATIONS)} of the {len(known)} operations in the API \
model. {len(differing)} of them differ from the real ones; their rows say how. keyfront refuses every other operation \
with `NotImplemented` (501), and names it. Nothing pretends to have worked.

- **works**: it does what the API model, the API Reference and the Developer Guide say, as far as our tests check.
- **differs**: it exists, and its row says how it differs.
- **missing**: keyfront refuses it.

`{_COMMAND}` writes this page, and a test compares the page with the code. In our tests (`tests/terraform`), the real \
Terraform applies, changes, imports and destroys every kind of resource on this page. [What differs from \
Amazon](laptop.md#what-differs-from-amazon) says what the edge does with a configuration."""


def _rules(notes: dict[str, Any]) -> str:
    rows = [
        (rule["rule"], ", ".join(f"`{code}`" for code in rule["errors"]), _all_tested(rule["errors"]))
        for rule in notes["rules"]
    ]
    return "## Rules of private content\n\n" + table(("rule", "error", "state", "tested in"), _stated(rows))


def _stated(rows: Iterable[tuple[str, str, list[str]]]) -> Iterable[tuple[str, ...]]:
    for rule, errors, tested in rows:
        yield rule, errors, "works" if tested else "missing", _links(tested)


def _operations(notes: dict[str, Any]) -> str:
    rows = []
    for name in sorted(service_model().operation_names):
        tested = _tests_of(xform_name(name)) if name in OPERATIONS else []
        state = "works" if name in OPERATIONS else "missing"
        if name in notes["operations"]:
            state = f"differs: {notes['operations'][name]}"
        rows.append((f"`{name}`", state, _links(tested)))
    return "## Operations\n\n" + table(("operation", "state", "tested in"), rows)


def _errors() -> str:
    rows = [
        (f"`{code}`", str(status), "works" if (tested := _tests_of(code)) else "missing", _links(tested))
        for code, status in sorted(error_statuses().items())
    ]
    opening = (
        "## Errors\n\nEvery error code of the API model. If it *works*, a test breaks its rule and expects the code. "
        "If it is *missing*, keyfront does not have its operations or settings, or does not check its rule."
    )
    return f"{opening}\n\n" + table(("code", "status", "state", "tested in"), rows)


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

moto 5.2.5 has {moto["tests"]} tests of CloudFront. Our CI runs them from moto's source distribution, in moto's \
server mode, against our endpoint (`tests/local/conformance`). One of them was verified against AWS by its authors; it \
passes.

- **{passing - identity}** pass on an empty account, and **{passing}** once the account has the origin access identity \
that moto's example configurations use.
- **{failing}** always fail. In {failing - rightly} of them moto expects something that the real service refuses or \
does differently (32 are cases of one test). In {rightly} moto is right and keyfront is wrong.
- **{chance}** passes or fails by chance.

{table(("tests", "closer to the real service", "why"), rows)}"""


def _stacks(stacks: dict[str, Any]) -> str:
    failing = sum(group["cases"] for group in stacks["differs"])
    rows = [(str(group["cases"]), group["because"]) for group in stacks["differs"]]
    return f"""## moto's tests of stacks

moto 5.2.5 has tests of CloudFormation as well. Most name their stack with a `_`, which the service refuses, or make \
resources that the laptop does not have (EC2, SQS, stack sets). Our CI runs the {stacks["passed"] + failing} others \
against our engine. Seven of them were verified against AWS by their authors; they pass.

- **{stacks["passed"]}** pass.
- **{failing}** fail, because moto differs from the service:

{table(("tests", "why"), rows)}"""


def _verdict(group: dict[str, Any]) -> str:
    return "moto" if group.get("moto_is_right") else ("unknown" if group.get("either_way") else "keyfront")


def _all_tested(codes: list[str]) -> list[str]:
    """Return the files that test these errors. Empty if one of the errors has no test."""
    files = [_tests_of(code) for code in codes]
    return list(dict.fromkeys(name for found in files for name in found[:1])) if all(files) else []


def _tests_of(name: str) -> list[str]:
    """Return the two test files that name `name` (an error code or a method of the client) most often."""
    word = re.compile(rf"\b{name}\b")
    counts = {file: len(word.findall(text)) for file, text in _tests().items()}
    built = [file for file, names in _toml("notes.toml")["built_names"].items() if name in names]
    found = sorted((file for file in counts if counts[file]), key=lambda file: (-counts[file], file))
    return list(dict.fromkeys([*built, *found]))[:2]


@cache
def _tests() -> dict[str, str]:
    folder = _HERE.parent / "controlplane"
    about_all = {f"test_{name}.py" for name in _toml("notes.toml")["about_all"]}
    return {file.name: file.read_text("utf-8") for file in folder.glob("test_*.py") if file.name not in about_all}


def _links(files: list[str]) -> str:
    return ", ".join(f"[{Path(file).stem}](../tests/local/controlplane/{file})" for file in files)


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a table in Markdown."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads((_HERE / name).read_text("utf-8"))


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(0 if _PAGE.read_text("utf-8") == page() else f"docs/conformance.md is not current: run {_COMMAND}")
    _PAGE.write_text(page(), "utf-8")
