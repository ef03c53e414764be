"""Amazon's runtimes know less JavaScript than the engine: what they do not know fails here too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyfront.edge.functions.isolate import Isolate
from keyfront.edge.functions.syntax import Unsupported, unsupported

FIRST, SECOND = "cloudfront-js-1.0", "cloudfront-js-2.0"
EXAMPLES = Path(__file__).parents[3] / "terraform" / "examples"

# The guide's lists, one case for each entry that is not in them.
NEITHER = [
    ("class A {}", "class", "classes"),
    ("var a = class {};", "class", "classes"),
    ("var { a } = b;", "{", "destructuring"),
    ("[a, b] = c;", "[a,", "destructuring"),
    ("function f({ a }) {}", "{", "destructuring"),
    ("f(...a);", "...a", "spread"),
    ("var a = { ...b };", "...b", "spread"),
    ("var a = [...b];", "...b", "spread"),
    ("function f(a = 1) {}", "a", "default parameters"),
    ("var a = b?.c;", "?.", "optional chaining"),
    ("var a = b?.[0]?.(1);", "?.", "optional chaining"),
    ("for (var a of b) {}", "of", "for…of"),
    ("function* f() { yield 1; }", "function*", "generators"),
    ("var a = { *f() {} };", "*", "generators"),
    ("var a = b ?? c;", "??", "operator ??"),
    ("a ??= b;", "??=", "operator ??="),
    ("a ||= b;", "||=", "operator ||="),
    ("a &&= b;", "&&=", "operator &&="),
    ("var a = 10n;", "10n", "BigInt"),
    ("f`a`;", "`a`", "tagged templates"),
    ("function f() { return new.target; }", "new.target", "new.target"),
    ("import('a');", "import", "import()"),
    ("export function handler() {}", "export", "exports"),
    ("try { f(); } catch { g(); }", "catch", "catch without a parameter"),
    ("var a = /b/u;", "u", "flags u of regular expressions"),
]
ONLY_SECOND = [
    ("const a = 1;", "const", "const"),
    ("for (let a in b) {}", "let", "let"),
    ("async function handler() {}", "async", "async"),
    ("var a = 1_000;", "1_000", "numeric separators"),
]
NOT_SECOND = [
    ("function f() { return g(async () => 1); }", "async", "async functions as arguments"),
    ("function f() { return { async g() {} }; }", "async", "async functions inside functions"),
]
BOTH = """
label: for (var at = 0; at < 3; at++) { if (at) continue label; else break label; }
do { at **= 2; } while (at < 1);
switch (at) { case 1: break; default: throw new Error(`not ${`nested ${at}`}`); }
var made = { short, method() { return 1; }, get one() { return 1; }, [name + 1]: /(?<year>[0-9]+)/gimy };
var arrow = (first, ...rest) => rest.length, of = 1, text = '... ?? ?. class const of `', let_ = of ? 1 : 0x1fn0;
// class const ...rest ?? ?.
try { for (var name in made) delete made[name]; } catch (_) { void 0; } finally { typeof at; }
""".replace("0x1fn0", "0x1f")


@pytest.mark.parametrize(("code", "token", "what"), NEITHER)
@pytest.mark.parametrize("runtime", [FIRST, SECOND])
def test_syntax_that_no_runtime_knows_is_named(code: str, token: str, what: str, runtime: str) -> None:
    assert unsupported(f"// first line\n{code}", runtime) == Unsupported(token, f"{runtime} has no {what}", 2)


@pytest.mark.parametrize(("code", "token", "what"), ONLY_SECOND)
def test_runtime_1_knows_less(code: str, token: str, what: str) -> None:
    assert unsupported(code, FIRST) == Unsupported(token, f"{FIRST} has no {what}", 1)
    assert unsupported(code, SECOND) is None


@pytest.mark.parametrize(("code", "token", "what"), NOT_SECOND)
def test_runtime_2_has_async_functions_at_the_top_level_only(code: str, token: str, what: str) -> None:
    assert unsupported(code, SECOND) == Unsupported(token, f"{SECOND} has no {what}", 1)


def test_what_the_guide_lists_passes() -> None:
    assert unsupported(BOTH, FIRST) is None
    assert unsupported(f"import cf from 'cloudfront';\nconst go = async () => await cf.kvs();{BOTH}", SECOND) is None


@settings(max_examples=60, deadline=None)
@given(st.text("(){}[];=+-.,'\"`/*ax0 \n\\$:?!<>&|é", max_size=60))
def test_any_text_has_an_answer(code: str) -> None:
    found = unsupported(code, SECOND)

    assert found is None or (0 < len(found.token) <= 20 and 1 <= found.line <= code.count("\n") + 1)


def test_the_error_is_the_runtimes_and_other_functions_do_not_suffer() -> None:
    result = json.loads(Isolate("function handler() {\n  for (var a of [1]) return a;\n}", SECOND, None).run("{}"))

    assert result["error"] == (
        'SyntaxError: Token "of" not supported in this version (cloudfront-js-2.0 has no for…of) at line 2'
    )


MEMBERS = {
    # Seen at Amazon: present although not in the guide, and absent as the guide says.
    "Array.from": (True, True),
    "''.charCodeAt": (True, True),
    "global": (True, True),
    "Object.getOwnPropertyDescriptors": (False, True),
    "''.replaceAll": (False, True),
    "''.trimEnd": (True, True),
    "Promise.any": (False, True),
    "Symbol.for": (False, True),
    "new Uint8Array(1).map": (False, True),
    "new Uint8Array(1).subarray": (True, True),
    "new DataView(new ArrayBuffer(1)).getInt8": (False, True),
    "new DataView(new ArrayBuffer(1)).getBigInt64": (False, False),
    "JSON.parse": (True, True),
    "console.log": (True, True),
    "console.error": (False, False),
    **{
        f"[].{name}": (False, False)
        for name in (
            *("at", "entries", "findLast", "findLastIndex", "flat", "flatMap", "keys"),
            *("toReversed", "toSorted", "toSpliced", "values", "with"),
        )
    },
    **{f"''.{name}": (False, False) for name in ["at", "localeCompare", "matchAll", "normalize", "trimLeft"]},
    **{f"Object.{name}": (False, False) for name in ["fromEntries", "groupBy", "hasOwn"]},
    **{f"Promise.{name}": (False, False) for name in ["try", "withResolvers"]},
}


@pytest.mark.parametrize(("runtime", "at"), [(FIRST, 0), (SECOND, 1)])
def test_built_in_objects_have_the_members_of_the_guide(runtime: str, at: int) -> None:
    names = ", ".join(f"{json.dumps(name)}: typeof {name}" for name in MEMBERS)
    result: dict[str, Any] = json.loads(
        Isolate(f"function handler() {{ return {{{names}}}; }}", runtime, None).run("{}")
    )

    assert "error" not in result, result["error"]
    found = {name: kind != "undefined" for name, kind in result["value"].items()}
    assert found == {name: both[at] for name, both in MEMBERS.items()}


def test_only_the_first_value_of_a_log_line_is_shown() -> None:
    code = "function handler() { console.log('a', 'b'); return 1; }"

    assert json.loads(Isolate(code, SECOND, None).run("{}"))["logs"] == ["a"]


@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("*.js")), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_functions_of_our_examples_run_at_amazon(path: Path) -> None:
    assert unsupported(path.read_text(), SECOND) is None
