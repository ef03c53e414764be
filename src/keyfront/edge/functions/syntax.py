"""Finds syntax that Amazon's JavaScript runtimes do not know, and the engine here does.

Source: Developer Guide, "JavaScript runtime 1.0 (2.0) features for CloudFront Functions", which list all that they
know. As people observe, such a function is created and published, and fails when it runs: with "Token … not supported
in this version". They also observe that short members and computed names of objects run, so these are allowed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import tree_sitter_javascript
from tree_sitter import Language, Node, Parser

_LANGUAGE: Final = Language(tree_sitter_javascript.language())
SECOND: Final = "cloudfront-js-2.0"
"""The newer runtime."""
_FLAGS: Final = frozenset("gimy")
_TOKEN_CHARACTERS: Final = 20

_UNKNOWN: Final = {
    "class": "classes",
    "class_declaration": "classes",
    "object_pattern": "destructuring",
    "array_pattern": "destructuring",
    "spread_element": "spread",
    "assignment_pattern": "default parameters",
    "optional_chain": "optional chaining",
    "generator_function": "generators",
    "generator_function_declaration": "generators",
    "meta_property": "new.target",
    "export": "exports",
    "of": "for…of",
    "??": "operator ??",
    "??=": "operator ??=",
    "||=": "operator ||=",
    "&&=": "operator &&=",
}
"""The kinds of nodes that neither runtime knows, and their names."""

_ONLY_SECOND: Final = frozenset({"const", "let", "async", "await"})
_FUNCTIONS: Final = frozenset({"function_declaration", "function_expression", "arrow_function", "method_definition"})


@dataclass(frozen=True, slots=True)
class Unsupported:
    """Syntax that a runtime does not know."""

    token: str
    what: str
    line: int
    """The line of the function, from 1."""

    def __str__(self) -> str:
        """Return the runtime's error. Assumed: which token it names, except for `const` in runtime 1.0 and `of`."""
        return f'SyntaxError: Token "{self.token}" not supported in this version ({self.what}) at line {self.line}'


def unsupported(code: str, runtime: str) -> Unsupported | None:
    """Return the first syntax in a function's code that its runtime does not know, or `None`."""
    tree = Parser(_LANGUAGE).parse(code.encode("utf-8", "replace"))
    for node in _nodes(tree.root_node):
        if what := _unknown(node, second=runtime == SECOND):
            token = _text(node).split(maxsplit=1)[0][:_TOKEN_CHARACTERS]
            return Unsupported(token, f"{runtime} has no {what}", node.start_point.row + 1)
    return None


def _nodes(root: Node) -> Iterator[Node]:
    """Yield the nodes of a tree in the order of the code."""
    waiting = [root]
    while waiting:
        yield (node := waiting.pop())
        waiting += reversed(node.children)


def _unknown(node: Node, *, second: bool) -> str | None:
    """Return the name of a node's syntax if the runtime does not know it."""
    kind, above = node.type, node.parent.type if node.parent is not None else ""
    if kind in _UNKNOWN:
        return _UNKNOWN[kind]
    if kind in _ONLY_SECOND:
        return _closure(node) if second else kind
    match kind:
        case "number":
            return _number(_text(node), second=second)
        case "regex_flags" if not _FLAGS.issuperset(_text(node)):
            return f"flags {_text(node)} of regular expressions"
        case "template_string" if above == "call_expression":
            return "tagged templates"
        case "catch_clause" if node.child_by_field_name("parameter") is None:
            return "catch without a parameter"
        case "import" if above == "call_expression":
            return "import()"
        case "*" if above == "method_definition":
            return "generators"
    return None


def _closure(node: Node) -> str | None:
    """Return what runtime 2.0 does not know of async functions: "async arguments and closures are not supported"."""
    function = node.parent
    if node.type != "async" or function is None:
        return None
    above = function.parent
    if above is not None and above.type == "arguments":
        return "async functions as arguments"
    while above is not None:
        if above.type in _FUNCTIONS:
            return "async functions inside functions"
        above = above.parent
    return None


def _number(text: str, *, second: bool) -> str | None:
    if text.endswith("n"):
        return "BigInt"
    return "numeric separators" if "_" in text and not second else None


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")
