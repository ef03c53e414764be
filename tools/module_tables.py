"""Writes the tables of the Terraform modules' README files from their code, in the format of terraform-docs.

    python tools/module_tables.py            # fail if a table is not as the code has it
    python tools/module_tables.py --write    # write them

The tables are those of `terraform-docs markdown table` with `anchor: false` and `escape: false`.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import hcl2

ROOT: Final = Path(__file__).parent.parent
MODULES: Final = ROOT / "terraform" / "modules"
_BEGIN: Final = "<!-- BEGIN_TF_DOCS -->"
_END: Final = "<!-- END_TF_DOCS -->"
_DECLARES: Final = re.compile(r"^(terraform|variable|output) ", re.MULTILINE)


@dataclass(frozen=True)
class Variable:
    """An input: its type as it is written, and its default as JSON, or `None` if it must be given."""

    name: str
    description: str
    type: str
    default: str | None


@dataclass(frozen=True)
class Module:
    """What a module's tables show, each part sorted by name."""

    requirements: Mapping[str, str]
    variables: list[Variable]
    outputs: Mapping[str, str]


def main(arguments: list[str]) -> int:
    """Write the tables, or compare them with the code. Return the exit code."""
    wanted = {readme: updated(readme) for readme in sorted(MODULES.glob("*/README.md"))}
    stale = [readme for readme, text in wanted.items() if text != readme.read_text("utf-8")]
    if arguments == ["--write"]:
        for readme in stale:
            readme.write_text(wanted[readme], "utf-8")
        return 0
    for readme in stale:
        sys.stderr.write(f"{readme.relative_to(ROOT)} is not current: run python tools/module_tables.py --write\n")
    return 1 if stale else 0


def updated(readme: Path) -> str:
    """Return a README with the tables of the module beside it."""
    text = readme.read_text("utf-8")
    if text.count(_BEGIN) != 1 or text.count(_END) != 1:
        raise SystemExit(f"{readme} must have one line {_BEGIN} and, after it, one line {_END}")
    before, _, rest = text.partition(_BEGIN)
    return f"{before}{_BEGIN}\n{_tables(read(readme.parent))}{_END}{rest.partition(_END)[2]}"


def read(folder: Path) -> Module:
    """Return what the module in `folder` declares."""
    requirements: dict[str, str] = {}
    variables: list[Variable] = []
    outputs: dict[str, str] = {}
    for file in sorted(folder.glob("*.tf")):
        text = file.read_text("utf-8")
        if not _DECLARES.search(text):
            continue
        tree = hcl2.parses_to_tree(text)
        document = hcl2.serialize(hcl2.transform(tree))
        for settings in document.get("terraform", []):
            requirements |= dict(_requirements(settings))
        declared = [next(iter(block.items())) for block in document.get("variable", [])]
        for (name, body), written in zip(declared, _types(tree, text), strict=True):
            default = _as_json(body["default"]) if "default" in body else None
            variables.append(Variable(json.loads(name), json.loads(body["description"]), written, default))
        for block in document.get("output", []):
            outputs |= {json.loads(name): json.loads(body["description"]) for name, body in block.items()}
    return Module(requirements, sorted(variables, key=lambda each: each.name), dict(sorted(outputs.items())))


def _requirements(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "terraform", json.loads(settings["required_version"])
    for providers in settings["required_providers"]:
        for name, provider in providers.items():
            if not name.startswith("__"):
                yield name, json.loads(provider["version"])


def _types(tree: Any, text: str) -> list[str]:
    """Return the types of a file's variables in their order, as they are written."""
    attributes = tree.find_data("attribute")
    found = {each.meta.start_pos: text[each.meta.start_pos : each.meta.end_pos] for each in attributes}
    parts = [found[position].partition("=") for position in sorted(found)]
    return [value.strip() for name, _, value in parts if name.strip() == "type"]


def _as_json(value: Any) -> str:
    """Return a default as terraform-docs shows it. hcl2 gives strings with their quotation marks."""

    def plain(each: Any) -> Any:
        if isinstance(each, dict):
            return {name: plain(inner) for name, inner in each.items()}
        if isinstance(each, list):
            return [plain(inner) for inner in each]
        return json.loads(each) if isinstance(each, str) else each

    return json.dumps(plain(value), indent=2, ensure_ascii=False)


def _tables(module: Module) -> str:
    requirements = [f"| {name} | {version} |" for name, version in module.requirements.items()]
    inputs = [
        f"| {each.name} | {_cell(each.description)} | {_code(each.type)} | "
        + ("n/a | yes |" if each.default is None else f"{_code(each.default)} | no |")
        for each in module.variables
    ]
    outputs = [f"| {name} | {_cell(description)} |" for name, description in module.outputs.items()]
    parts = (
        ("Requirements", "| Name | Version |", "|------|---------|", requirements),
        (
            "Inputs",
            "| Name | Description | Type | Default | Required |",
            "|------|-------------|------|---------|:--------:|",
            inputs,
        ),
        ("Outputs", "| Name | Description |", "|------|-------------|", outputs),
    )
    return (
        "\n".join(
            line
            for number, (title, head, rule, rows) in enumerate(parts)
            for line in ([""] if number else []) + [f"## {title}", "", head, rule, *rows]
        )
        + "\n"
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", "<br/>")


def _code(text: str) -> str:
    """Return code for a cell: inline if it has one line."""
    return f"<pre>{_cell(text)}</pre>" if "\n" in text else f"`{_cell(text)}`"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
