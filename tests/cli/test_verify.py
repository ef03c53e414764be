"""`keyfront verify`."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from keyfront.core.keys import SigningKey
from keyfront.core.signing import Signer

Run = Callable[..., tuple[int, str, str]]
Execute = Callable[..., "subprocess.CompletedProcess[str]"]

URL = "https://a.example.com/book.epub"
ID = "K2JCJMDEHXQW5F"


@pytest.fixture
def signer(ecdsa: Path) -> Signer:
    return Signer(ID, SigningKey.load(ecdsa / "private_key.pem"))


@pytest.fixture
def trust(ecdsa: Path) -> str:
    return f"{ID}={ecdsa / 'public_key.pem'}"


def test_a_signed_url_is_allowed(execute: Execute, signer: Signer, trust: str) -> None:
    seen = execute("verify", signer.sign_url(URL, expires=timedelta(hours=1)), "--trust", trust)
    assert (seen.returncode, seen.stderr) == (0, "")
    head, *checks = seen.stdout.splitlines()
    assert head == "allowed"
    assert [check.split()[:2] for check in checks] == [
        ["ok", "key-pair-id"],
        ["ok", "trusted-key"],
        ["ok", "policy"],
        ["ok", "signature"],
        ["ok", "resource"],
        ["ok", "expires"],
    ]
    assert seen.stdout.isascii()


def test_a_tampered_one_is_refused(execute: Execute, signer: Signer, trust: str) -> None:
    url = signer.sign_url(URL, expires=timedelta(hours=1)).replace("book", "cook")
    seen = execute("verify", url, "--trust", trust)
    assert (seen.returncode, seen.stderr) == (1, "")
    assert seen.stdout.startswith("refused: signature-mismatch (CloudFront answers 403 AccessDenied: Access denied)\n")
    assert "\n  NO signature " in seen.stdout


def test_json_is_the_decision(run: Run, signer: Signer, trust: str) -> None:
    url = signer.sign_url(URL, expires=1893456000, max_lifetime=timedelta(days=9999), ip="192.0.2.0/24")
    status, out, err = run("verify", url, "--trust", trust, "--ip", "198.51.100.1", "--json")
    assert (status, err) == (1, "")
    answer = json.loads(out)
    assert list(answer) == ["allowed", "status", "code", "message", "reason", "checks"]
    assert (answer["allowed"], answer["status"], answer["code"]) == (False, 403, "AccessDenied")
    assert (answer["message"], answer["reason"]) == ("Access denied", "address-mismatch")
    assert all(list(check) == ["name", "ok", "detail"] for check in answer["checks"])
    assert [check["name"] for check in answer["checks"] if not check["ok"]] == ["address"]

    status, out, _ = run("verify", url, "--trust", trust, "--ip", "192.0.2.1", "--json")
    assert status == 0
    answer = json.loads(out)
    assert [answer[name] for name in ("allowed", "status", "code", "message", "reason")] == [
        True,
        200,
        None,
        None,
        "allowed",
    ]


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        ("1893455999", "allowed"),
        ("2029-12-31T23:59:59Z", "allowed"),
        ("2030-01-01T00:00:00Z", "expired"),
        ("1800000000", "not-yet-valid"),
        ("500w", "expired"),
    ],
)
def test_judges_at_another_time(run: Run, signer: Signer, trust: str, at: str, reason: str) -> None:
    url = signer.sign_url(URL, expires=1893456000, max_lifetime=timedelta(days=9999), starts=1893000000)
    _, out, _ = run("verify", url, "--trust", trust, "--at", at, "--json")
    assert json.loads(out)["reason"] == reason


def test_judges_cookies(run: Run, signer: Signer, trust: str) -> None:
    cookies = signer.sign_cookies("https://a.example.com/*", expires=timedelta(hours=1))
    header = "theme=dark; " + "; ".join(f"{name}={value}" for name, value in cookies.items())
    assert run("verify", URL, "--cookie", header, "--trust", trust)[0] == 0
    status, out, _ = run("verify", URL, "--trust", trust)
    assert status == 1
    assert out.startswith("refused: missing-key-pair-id (CloudFront answers 403 MissingKey: ")


def test_trusts_each_key_under_its_own_id(run: Run, signer: Signer, ecdsa: Path, rsa: Path) -> None:
    url = signer.sign_url(URL, expires=timedelta(hours=1))
    other, right = f"KOTHER={rsa / 'public_key.pem'}", f"{ID}={ecdsa / 'public_key.pem'}"
    assert run("verify", url, "--trust", other, "--trust", right)[0] == 0
    status, out, _ = run("verify", url, "--trust", other)
    assert status == 1
    assert "InvalidKey: Unknown Key" in out
    assert run("verify", url, "--trust", f"{ID}={rsa / 'public_key.pem'}")[0] == 1


def test_what_follows_the_hash_sign_is_not_sent(run: Run, signer: Signer, trust: str) -> None:
    url = signer.sign_url(URL, expires=timedelta(hours=1))
    status, _, err = run("verify", f"{url}#page=3", "--trust", trust)
    assert status == 0
    assert err == "warning: viewers do not send the part after #: it is ignored\n"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["a.example.com/x", "--trust", "{trust}"], "'a.example.com/x' is not a URL that a viewer can request"),
        (["s3://bucket/x", "--trust", "{trust}"], "'s3://bucket/x' is not a URL"),
        (["https://", "--trust", "{trust}"], "'https://' is not a URL"),
        ([URL, "--trust", "{public}"], "write the key's id and its file, such as K2JCJMDEHXQW5F=public_key.pem"),
        ([URL, "--trust", "{trust}", "--trust", "{trust}"], f"--trust names {ID} twice"),
        ([URL, "--trust", f"{ID}=nowhere.pem"], "cannot read the public key file nowhere.pem"),
        ([URL, "--trust", f"{ID}={{private}}"], "this is a private key, which only the signer needs"),
        ([URL, "--trust", "{trust}", "--ip", "192.0.2.0/24"], "--ip '192.0.2.0/24' is not an address"),
        ([URL, "--trust", "{trust}", "--ip", "203.0.113.7:46532"], "it has a port, so write 203.0.113.7"),
        ([URL, "--trust", "E1ABCDEFGHIJKL={trust}"], "the id in --trust is 'E1ABCDEFGHIJKL', which looks like the id"),
        ([URL, "--trust", "{trust}", "--at", "2030-01-01"], "--at 2030-01-01 has no time zone"),
        ([URL, "--trust", "{trust}", "--at", "1893456000000"], "it looks like milliseconds"),
        ([URL], "--trust"),
    ],
)
def test_bad_input_is_one_clear_line(run: Run, ecdsa: Path, trust: str, arguments: list[str], complaint: str) -> None:
    private, public = ecdsa / "private_key.pem", ecdsa / "public_key.pem"
    filled = [argument.format(trust=trust, private=private, public=public) for argument in arguments]
    status, out, err = run("verify", *filled)
    assert (status, out) == (2, "")
    assert complaint in err
    status, out, err = run("verify", *filled, "--json")
    assert (status, out) == (2, "")
    assert complaint in json.loads(err)["error"]


def test_a_url_that_is_not_text_is_judged_and_shown_escaped(trust: str) -> None:
    command = [os.fsencode(Path(sys.executable).with_name("keyfront")), b"verify"]
    command += [
        b"https://a.example.com/\xff?Key-Pair-Id=x&Expires=1893456000&Signature=AA__",
        b"--trust",
        trust.encode(),
    ]
    seen = subprocess.run(command, capture_output=True, check=False)
    assert seen.returncode == 1
    assert seen.stderr == b""
    assert b"\\udcff" in seen.stdout


def test_a_terminal_gets_signs(signer: Signer, trust: str) -> None:
    url = signer.sign_url(URL, expires=timedelta(hours=1))
    terminal, theirs = pty.openpty()
    with subprocess.Popen(
        [Path(sys.executable).with_name("keyfront"), "verify", url.replace("book", "cook"), "--trust", trust],
        stdout=theirs,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    ) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                shown += os.read(terminal, 4096)
            except OSError:  # Linux says so when the other side of a terminal is closed
                break
    os.close(terminal)
    assert process.returncode == 1
    assert "✓" in shown.decode()
    assert "✗" in shown.decode()
