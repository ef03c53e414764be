"""Writes docs/assumed.md: every rule that the code marks with the word *assumed*.

A marker is a comment or a docstring with that word. Texts that the program shows are left out.

python tools/assumed.py            # compare the page with the code
python tools/assumed.py --write    # write the page again
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
PAGE: Final = ROOT / "docs" / "assumed.md"
_SOURCE: Final = ROOT / "src" / "keyfront"
_PARTS: Final = {
    "core": "Signatures, policies and paths",
    "edge": "The edge",
    "backend": "The download service",
    "account": "Audit and access logs",
    "local": "The laptop's AWS",
}
"""The headings, by room; other rooms come last."""
_OTHER: Final = "Elsewhere"
_MARK: Final = re.compile(r"\bassumed\b(?![ -]roles?\b)", re.IGNORECASE)
_PLACES: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+(?=[A-Z`])")
_INTRODUCTION: Final = """\
# What is assumed

keyfront behaves as Amazon documents it. Where no public source settles a rule, the code has one
place that chooses, with the word *assumed*. This page lists these places. `python tools/assumed.py
--write` writes it from the code, and a test compares the two.

If you know better, from a support answer or from a request to a real distribution, tell us: open an
issue with what you sent and what came back. [How CloudFront decides](decisions.md) shows where
these rules matter.
"""


def main(arguments: list[str]) -> int:
    """Write the page, or compare it with the code. Return the exit code."""
    wanted = page()
    if "--write" in arguments:
        PAGE.write_text(wanted, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text("utf-8") != wanted:
        sys.stderr.write("docs/assumed.md: the markers have changed: run python tools/assumed.py --write\n")
        return 1
    return 0


def page() -> str:
    """Return the page as the code has it now."""
    rows: dict[str, list[str]] = {}
    for path in sorted(_SOURCE.rglob("*.py")):
        name = path.relative_to(_SOURCE).as_posix()
        heading = _PARTS.get(name.partition("/")[0], _OTHER)
        source = path.read_text("utf-8")
        for rule, place in dict.fromkeys(rules(source) if _MARK.search(source) else ()):
            rows.setdefault(heading, []).append(f"| {rule} | `{name}`{place and f', `{place}`'} |")
    tables = [
        "\n".join([f"## {heading}\n", "| rule | where |", "| --- | --- |", *rows[heading], ""])
        for heading in (*_PARTS.values(), _OTHER)
        if heading in rows
    ]
    return "\n".join([_INTRODUCTION, *tables])


def rules(source: str) -> Iterator[tuple[str, str]]:
    """Yield each marked rule with the name of the function or class that it stands in."""
    places = [each for each in ast.walk(ast.parse(source)) if isinstance(each, _PLACES)]
    for line, text in sorted([*_comments(source), *_docstrings(source)]):
        if _MARK.search(text):
            around = [each.name for each in places if each.lineno <= line <= (each.end_lineno or 0)]
            yield _in_a_cell(_marked(text)), ".".join(around)


def _comments(source: str) -> Iterator[tuple[int, str]]:
    """Yield each comment with its line: lines below each other are one, and one behind code comes with the code."""
    begun, lines, last = 0, list[str](), 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        row, words = token.start[0], token.string.lstrip("#: ")
        code = token.line[: token.start[1]].strip()
        if lines and (code or row != last + 1):
            yield begun, " ".join(lines)
            lines = []
        if code:
            yield row, f"`{code}`: {words}"
            continue
        begun, last = (begun if lines else row), row
        lines.append(words)
    if lines:
        yield begun, " ".join(lines)


def _docstrings(source: str) -> Iterator[tuple[int, str]]:
    """Yield each docstring with its line, also those of constants and attributes."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.lineno, node.value.value


def _marked(text: str) -> str:
    """Return the sentences that carry the mark, each with the one before it if it means nothing alone."""
    sentences = _SENTENCE.split(" ".join(text.split()))
    kept: dict[int, str] = {}
    for number, sentence in enumerate(sentences):
        if _MARK.search(sentence):
            around = range(number - (len(sentence) < 60), number + 1 + (len(sentence) < 25))
            known = (each for each in around if 0 <= each < len(sentences))
            kept |= {each: sentences[each] for each in known if not sentences[each].startswith("Source")}
    return " ".join(kept[number] for number in sorted(kept)).replace(": - ", ": ").replace(". - ", ". ")


def _in_a_cell(rule: str) -> str:
    return rule.replace("|", "\\|").replace("*", "\\*") if "`" not in rule else rule.replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
