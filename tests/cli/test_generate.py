"""`keyfront keys generate`, and what the command says when something it needs is not there."""

import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from keyfront import __version__
from keyfront.core.keys import PublicKey, SigningKey

Run = Callable[..., tuple[int, str, str]]
Execute = Callable[..., "subprocess.CompletedProcess[str]"]
Need = Callable[[str], Path]


@pytest.mark.parametrize(("key_type", "described"), [("rsa", "RSA Public-Key|2048 bit"), ("ecdsa", "prime256v1")])
def test_makes_a_pair_that_openssl_reads(
    execute: Execute, tmp_path: Path, need_tool: Need, key_type: str, described: str
) -> None:
    made = execute("keys", "generate", "--type", key_type, "--out", "new/keys")
    assert made.returncode == 0
    private, public = tmp_path / "new/keys/private_key.pem", tmp_path / "new/keys/public_key.pem"
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert stat.S_IMODE(public.stat().st_mode) == 0o644
    assert private.read_text().startswith("-----BEGIN PRIVATE KEY-----\n")
    derived = subprocess.run(
        [need_tool("openssl"), "pkey", "-in", private, "-pubout"], check=True, capture_output=True, text=True
    )
    assert derived.stdout == public.read_text()
    text = subprocess.run(
        [need_tool("openssl"), "pkey", "-in", private, "-noout", "-text"], check=True, capture_output=True, text=True
    ).stdout
    assert any(word in text for word in described.split("|"))


def test_says_what_it_made(run: Run, tmp_path: Path) -> None:
    status, out, err = run("keys", "generate", "--type", "ECDSA", "--out", tmp_path)
    assert status == 0
    fingerprint = PublicKey.load((tmp_path / "public_key.pem").read_bytes()).fingerprint
    assert out.splitlines()[1] == f"{tmp_path / 'public_key.pem'}  {fingerprint}"
    assert "BEGIN" not in out + err
    assert err == f"Next: keyfront keys upload {tmp_path / 'public_key.pem'} --name NAME\n"


def test_json_names_the_files(run: Run, tmp_path: Path) -> None:
    status, out, err = run("keys", "generate", "--type", "ecdsa", "--out", tmp_path, "--json")
    assert (status, err) == (0, "")
    assert json.loads(out) == {
        "private_key": str(tmp_path / "private_key.pem"),
        "public_key": str(tmp_path / "public_key.pem"),
        "type": "ecdsa",
        "fingerprint": SigningKey.load(tmp_path / "private_key.pem").public_key.fingerprint,
    }


@pytest.mark.parametrize("there", ["private_key.pem", "public_key.pem"])
@pytest.mark.parametrize("kind", ["file", "dangling link"])
def test_never_overwrites(run: Run, tmp_path: Path, there: str, kind: str) -> None:
    if kind == "file":
        (tmp_path / there).write_text("mine")
    else:
        (tmp_path / there).symlink_to(tmp_path / "nowhere")
    status, out, err = run("keys", "generate", "--type", "ecdsa", "--out", tmp_path)
    assert (status, out) == (2, "")
    assert f"{there} exists and is not overwritten" in err
    assert [path.name for path in tmp_path.iterdir()] == [there]
    if kind == "file":
        assert (tmp_path / there).read_text() == "mine"


def test_the_private_key_can_be_encrypted(run: Run, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("open sesame\r\n")
    status, _, _ = run(
        *("keys", "generate", "--type", "ecdsa", "--out", tmp_path / "out", "--passphrase-file", tmp_path / "secret")
    )
    assert status == 0
    private = tmp_path / "out" / "private_key.pem"
    assert "BEGIN ENCRYPTED PRIVATE KEY" in private.read_text()
    assert SigningKey.load(private, "open sesame").algorithm == "ecdsa"


def test_a_folder_that_cannot_be_made_is_one_clear_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    status, _, err = run("keys", "generate", "--type", "ecdsa", "--out", tmp_path / "file" / "below")
    assert status == 2
    assert err.startswith("error: cannot write keys to ")


def test_an_unknown_type_is_refused(run: Run, tmp_path: Path) -> None:
    status, _, err = run("keys", "generate", "--type", "dsa", "--out", tmp_path)
    assert status == 2
    assert "rsa" in err
    assert "ecdsa" in err
    assert list(tmp_path.iterdir()) == []


def test_version(execute: Execute) -> None:
    told = execute("--version")
    assert (told.returncode, told.stderr) == (0, "")
    assert re.fullmatch(rf"keyfront {re.escape(__version__)}( \([0-9a-f]{{12}}\))?\n", told.stdout)


COMMANDS = [
    *(("keys", name) for name in ("generate", "upload", "list", "delete")),
    *(("groups", name) for name in ("create", "list", "add", "remove", "delete")),
    *((name,) for name in ("sign", "sign-cookies", "verify", "up")),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself_and_takes_json(run: Run, command: tuple[str, ...]) -> None:
    for asked in ("--help", "-h"):
        status, out, err = run(*command, asked)
        assert (status, err) == (0, "")
        assert out.startswith(f"Usage: keyfront {' '.join(command)} ")
        assert "--json" in out


def test_the_command_line_lists_its_commands(run: Run) -> None:
    status, out, _ = run("--help")
    assert status == 0
    for name in {command[0] for command in COMMANDS}:
        assert f"\n│ {name} " in out
    assert "─ Commands ─" not in out, "every command belongs to a part"
    status, out, err = run()
    assert (status, err.strip()) == (2, "")
    assert out.lstrip().startswith("Usage: keyfront ")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["sing"], "No such command 'sing'. Did you mean"),
        (["sign", "--nonsense"], "--nonsense"),
        (["keys", "burn"], "No such command 'burn'"),
        (["up", "--port", "70000"], "65535"),
        (["up", "--addressing", "street"], "street"),
    ],
)
def test_a_mistyped_command_is_bad_input(run: Run, arguments: list[str], complaint: str) -> None:
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert complaint in err
    status, out, err = run(*arguments, "--json")
    assert (status, out) == (2, "")
    assert list(json.loads(err)) == ["error"]


def without(*modules: str) -> list[str]:
    """The command in a Python where these modules are not installed."""
    blocked = "; ".join(f"sys.modules[{module!r}] = None" for module in modules)
    return [sys.executable, "-c", f"import sys; {blocked}; from keyfront.cli import main; sys.exit(main())"]


@pytest.mark.parametrize(
    ("missing", "arguments", "advice"),
    [
        ("typer", ["--version"], "pip install '.[cli]'"),
        ("boto3", ["keys", "list"], "needs boto3: pip install '.[cli,aws]'"),
        ("botocore", ["groups", "list"], "needs botocore: pip install '.[cli,aws]'"),
        ("granian", ["up"], "needs granian: pip install '.[local]'"),
        ("botocore", ["functions", "watch", "f.js", "--distribution", "E1"], "botocore: pip install '.[cli,local]'"),
        ("duckdb", ["logs", "summary", "logs"], "needs duckdb: pip install '.[logs]'"),
    ],
)
def test_a_missing_extra_is_named(missing: str, arguments: list[str], advice: str) -> None:
    told = subprocess.run([*without(missing), *arguments], capture_output=True, text=True, check=False)
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr.startswith("error: ")
    assert advice in told.stderr
    assert told.stderr.endswith("(in keyfront's folder; for a wheel, write its path instead of the dot)\n")
    assert told.stderr.count("\n") == 1


def test_signing_needs_neither_boto3_nor_a_server(tmp_path: Path, ecdsa: Path) -> None:
    signed = subprocess.run(
        [
            *without("boto3", "botocore", "rich", "granian", "starlette", "httpx", "pydantic"),
            *("sign", "https://a.example.com/x", "--key-id", "K1", "--private-key", str(ecdsa / "private_key.pem")),
            *("--expires", "1h"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (signed.returncode, signed.stderr) == (0, "")
    assert signed.stdout.startswith("https://a.example.com/x?Expires=")


def test_a_reader_that_goes_away_is_no_traceback(ecdsa: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    told = subprocess.run(
        [Path(sys.executable).with_name("keyfront"), "--help"], stdout=writing, stderr=subprocess.PIPE, check=False
    )
    os.close(writing)
    assert told.returncode == 1
    assert told.stderr == b""
