"""`keyfront policy lint`."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., tuple[int, str, str]]

CLEAN = (
    '{"Statement":[{"Resource":"https://media.example.com/42/*","Condition":{"DateLessThan":{"AWS:EpochTime":%d}}}]}'
)
AT = ("--at", "2030-01-01T00:00:00Z")
SOON = 1893459600


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str | bytes], str]:
    """A policy in a file, in the folder that the command runs in."""
    monkeypatch.chdir(tmp_path)

    def write(text: str | bytes) -> str:
        Path("policy.json").write_bytes(text if isinstance(text, bytes) else text.encode())
        return "policy.json"

    return write


def test_a_policy_in_order_says_what_it_lets_in(run: Run, file: Callable[[str], str]) -> None:
    status, out, err = run("policy", "lint", file(CLEAN % SOON), *AT, "--url", "https://media.example.com/42/1.ts")
    assert (status, err) == (0, "")
    assert out == (
        "policy.json lets anyone get https://media.example.com/42/*, before 2030-01-01 01:00:00 UTC (in 1 h); "
        "it covers https://media.example.com/42/1.ts\nnothing to fix\n"
    )


def test_an_error_ends_with_one_and_says_what_to_do(run: Run, file: Callable[[str], str]) -> None:
    status, out, err = run("policy", "lint", file(CLEAN % (SOON * 1000)), *AT)
    assert (status, err) == (1, "")
    first, last = out.splitlines()
    assert first.startswith("policy.json: error: The expiry is 1893459600000. As milliseconds that is 2030-01-01")
    assert first.endswith("[expires-in-milliseconds]")
    assert last == "1 error, 0 warnings"


@pytest.mark.parametrize(
    "options", [("--max-lifetime", "30m"), ("--ipv6",)], ids=lambda options: options[0].removeprefix("--")
)
def test_a_warning_is_printed_and_counts_with_strict(
    run: Run, file: Callable[[str], str], options: tuple[str, ...]
) -> None:
    text = (CLEAN % SOON).replace("}}}]}", '},"IpAddress":{"AWS:SourceIp":"192.0.2.7"}}}]}')
    name = file(text)
    assert run("policy", "lint", name, *AT, "--strict")[0] == 0
    status, out, _ = run("policy", "lint", name, *AT, *options)
    assert status == 0
    assert out.startswith("policy.json: warning: ")
    assert out.endswith("\n0 errors, 1 warning\n")
    assert run("policy", "lint", name, *AT, *options, "--strict")[0] == 1


def test_json_on_standard_output(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO((CLEAN % 1).encode())))
    status, out, _ = run("policy", "lint", "-", *AT, "--json")
    told = json.loads(out)
    assert status == 1
    assert told["policy"] == {"resource": "https://media.example.com/42/*", "expires": 1, "starts": None, "ip": None}
    assert (told["file"], told["errors"], told["warnings"]) == ("standard input", 1, 0)
    assert [each["id"] for each in told["findings"]] == ["expires-is-a-duration"]
    assert told["findings"][0]["about"] == "keyfront explain --about expires-is-a-duration"


def test_nothing_in_a_policy_moves_the_cursor(run: Run, file: Callable[[str], str]) -> None:
    text = (CLEAN % SOON).replace("/42/", r"/\u001b[2J/").replace("Statement", r"\u001b[2JStatement")
    assert "\x1b" not in run("policy", "lint", file(text), *AT)[1]
    assert "\x1b" not in run("policy", "lint", file((CLEAN % SOON).replace("/42/", r"/\u001b[2J/")), *AT)[1]


@pytest.mark.parametrize(
    ("content", "arguments", "says"),
    [
        (None, ("nothere.json",), "cannot read nothere.json: No such file"),
        (b"", ("policy.json",), "policy.json: there is no policy"),
        (b"\xff\xfe{}", ("policy.json",), "policy.json is not UTF-8 text"),
        (b" " * (1 << 20) + b"{}", ("policy.json",), "larger than a megabyte"),
        (b"{}", ("policy.json", "--url", "media.example.com/a"), "--url: 'media.example.com/a' has no scheme"),
        (b"{}", ("policy.json", "--max-lifetime", "long"), "--max-lifetime 'long' is not a span of time"),
        (b"{}", ("policy.json", "--at", "noon"), "--at 'noon' is not a time"),
    ],
)
def test_what_cannot_be_judged_ends_with_two(
    run: Run, file: Callable[[bytes], str], content: bytes | None, arguments: tuple[str, ...], says: str
) -> None:
    if content is not None:
        file(content)
    status, out, err = run("policy", "lint", *arguments)
    assert (status, out) == (2, "")
    assert err.startswith("error: ")
    assert says in err
