"""`keyfront sign` and `keyfront sign-cookies`: the real executable, and keys that OpenSSL made."""

import io
import json
import os
import pty
import subprocess
import sys
import time
from collections.abc import Callable
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest

from keyfront.core import encoding
from keyfront.core.keys import PublicKey
from keyfront.core.policy import Policy
from keyfront.core.verification import Decision, ViewerRequest, verify

Run = Callable[..., tuple[int, str, str]]
Execute = Callable[..., "subprocess.CompletedProcess[str]"]

URL = "https://d111111abcdef8.cloudfront.net/book.epub"
ID = "K2JCJMDEHXQW5F"


def judge(public_key: Path, url: str, *, cookie: str = "", ip: str = "", later: float = 0) -> Decision:
    key = PublicKey.load(public_key.read_bytes())
    return verify(ViewerRequest(url, cookie, ip), {ID: key}, time.time() + later)


def parameters(url: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in url.partition("?")[2].split("&"))


def test_prints_the_url_and_nothing_else(execute: Execute, rsa: Path) -> None:
    signed = execute("sign", URL, "--key-id", ID, "--private-key", rsa / "private_key.pem", "--expires", "1h")
    assert (signed.returncode, signed.stderr) == (0, "")
    assert signed.stdout.count("\n") == 1
    url = signed.stdout.removesuffix("\n")
    assert list(parameters(url)) == ["Expires", "Signature", "Key-Pair-Id"]
    assert judge(rsa / "public_key.pem", url, later=3500).reason == "allowed"
    assert judge(rsa / "public_key.pem", url, later=3700).reason == "expired"


OPENSSL_KEYS = {
    "PKCS#8": ["genrsa", "2048"],
    "PKCS#1": ["genrsa", "-traditional", "2048"],
    "PKCS#8, encrypted": ["genrsa", "-aes256", "-passout", "pass:open sesame", "2048"],
    "PKCS#1, encrypted": ["genrsa", "-traditional", "-aes256", "-passout", "pass:open sesame", "2048"],
    "SEC1 after its parameters": ["ecparam", "-name", "prime256v1", "-genkey"],
    "SEC1": ["ecparam", "-name", "prime256v1", "-genkey", "-noout"],
}


@pytest.mark.parametrize("form", OPENSSL_KEYS)
def test_signs_with_keys_that_openssl_made_and_openssl_agrees(
    execute: Execute, tmp_path: Path, need_tool: Callable[[str], Path], form: str
) -> None:
    openssl = need_tool("openssl")
    private, public, passphrase = (tmp_path / name for name in ("private.pem", "public.pem", "passphrase"))
    passphrase.write_text("open sesame\nnot this\n")

    def run_openssl(*arguments: str | Path) -> str:
        return subprocess.run([openssl, *arguments], check=True, capture_output=True, text=True).stdout

    command, *options = OPENSSL_KEYS[form]
    run_openssl(command, "-out", private, *options)
    run_openssl("pkey", "-in", private, "-passin", "pass:open sesame", "-pubout", "-out", public)
    signed = execute(
        *("sign", URL, "--key-id", ID, "--private-key", private, "--expires", "1893456000", "--max-lifetime", "9999d"),
        *("--passphrase-file", passphrase),
    )
    assert (signed.returncode, signed.stderr) == (0, "")
    url = signed.stdout.strip()
    assert judge(public, url).allowed
    (tmp_path / "signature").write_bytes(encoding.decode(parameters(url)["Signature"]))
    (tmp_path / "policy").write_text(
        f'{{"Statement":[{{"Resource":"{URL}","Condition":{{"DateLessThan":{{"AWS:EpochTime":1893456000}}}}}}]}}'
    )
    agreed = run_openssl("dgst", "-sha1", "-verify", public, "-signature", tmp_path / "signature", tmp_path / "policy")
    assert agreed == "Verified OK\n"


@pytest.fixture
def encrypted(tmp_path: Path, run: Run) -> Path:
    """A folder with a key pair whose private half is encrypted."""
    (tmp_path / "secret").write_text("open sesame")
    out = tmp_path / "encrypted"
    assert run("keys", "generate", "--type", "ecdsa", "--out", out, "--passphrase-file", tmp_path / "secret")[0] == 0
    return out


def test_takes_the_passphrase_from_the_environment(run: Run, encrypted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = ("sign", URL, "--key-id", ID, "--private-key", encrypted / "private_key.pem", "--expires", "1h")
    monkeypatch.setenv("KEYFRONT_PASSPHRASE", "open sesame")
    status, out, _ = run(*command)
    assert status == 0
    assert judge(encrypted / "public_key.pem", out.strip()).allowed
    monkeypatch.setenv("KEYFRONT_PASSPHRASE", "wrong and secret")
    status, out, err = run(*command)
    assert (status, out) == (2, "")
    assert "the passphrase is wrong" in err
    assert "wrong and secret" not in err


def test_says_where_a_passphrase_can_come_from(run: Run, encrypted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KEYFRONT_PASSPHRASE", raising=False)
    status, out, err = run(
        "sign", URL, "--key-id", ID, "--private-key", encrypted / "private_key.pem", "--expires", "1h"
    )
    assert (status, out) == (2, "")
    assert "is encrypted: give --passphrase-file FILE, or set KEYFRONT_PASSPHRASE" in err


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is empty"),
        (b"\nopen sesame", "is empty"),
        (b"\xff\xfe", "is not UTF-8 text"),
    ],
)
def test_a_passphrase_file_without_one_is_refused(
    run: Run, encrypted: Path, tmp_path: Path, content: bytes, complaint: str
) -> None:
    (tmp_path / "secret").write_bytes(content)
    status, _, err = run(
        *("sign", URL, "--key-id", ID, "--private-key", encrypted / "private_key.pem", "--expires", "1h"),
        *("--passphrase-file", tmp_path / "secret"),
    )
    assert status == 2
    assert complaint in err


def test_asks_for_the_passphrase_at_a_terminal(encrypted: Path) -> None:
    terminal, theirs = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "KEYFRONT_PASSPHRASE"}
    with subprocess.Popen(
        [
            *(Path(sys.executable).with_name("keyfront"), "sign", URL, "--key-id", ID, "--expires", "1h"),
            *("--private-key", encrypted / "private_key.pem"),
        ],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=environment,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        asked = b""
        while not asked.endswith(b"private_key.pem: "):
            asked += os.read(terminal, 1024)
        assert asked.startswith(b"Passphrase of ")
        os.write(terminal, b"open sesame\n")
        out, _ = process.communicate(timeout=30)
    os.close(terminal)
    assert process.returncode == 0
    assert judge(encrypted / "public_key.pem", out.decode().strip()).allowed


def test_reads_the_key_from_standard_input(execute: Execute, rsa: Path) -> None:
    signed = execute(
        *("sign", URL, "--key-id", ID, "--private-key", "-", "--expires", "1h"),
        input=(rsa / "private_key.pem").read_text(),
    )
    assert signed.returncode == 0
    assert judge(rsa / "public_key.pem", signed.stdout.strip()).allowed


def test_limits_become_a_custom_policy(run: Run, ecdsa: Path) -> None:
    status, out, err = run(
        *("sign", "https://a.example.com/42/1.ts?lang=en", "--key-id", ID),
        *(
            "--private-key",
            ecdsa / "private_key.pem",
            "--expires",
            "2030-01-01T00:00:00Z",
            "--max-lifetime",
            "9999d",
            "--starts",
            "1893000000",
        ),
        *("--ip", "192.0.2.0/24", "--resource", "https://a.example.com/42/*", "--hash", "SHA256"),
    )
    assert (status, err) == (0, "")
    carried = parameters(out.strip())
    assert list(carried) == ["lang", "Policy", "Signature", "Key-Pair-Id", "Hash-Algorithm"]
    policy = Policy.parse(encoding.decode(carried["Policy"]))
    assert policy == Policy("https://a.example.com/42/*", 1893456000, 1893000000, "192.0.2.0/24")
    url = out.strip()
    inside = 1893000001 - time.time()
    assert judge(ecdsa / "public_key.pem", url, ip="192.0.2.7", later=inside).allowed
    assert judge(ecdsa / "public_key.pem", url, ip="192.0.3.7", later=inside).reason == "address-mismatch"
    assert judge(ecdsa / "public_key.pem", url, ip="192.0.2.7").reason == "not-yet-valid"


@pytest.mark.parametrize(
    ("extra", "told"),
    [
        ([], {"policy": "canned", "resource": f"{URL}?a=1", "starts": None, "ip": None, "hash": "SHA1"}),
        (
            ["--ip", "192.0.2.1", "--hash", "sha256"],
            {"policy": "custom", "resource": f"{URL}?a=1", "starts": None, "ip": "192.0.2.1/32", "hash": "SHA256"},
        ),
        (
            ["--resource", "https://d111111abcdef8.cloudfront.net/b*", "--starts", "1893000000"],
            {
                "policy": "custom",
                "resource": "https://d111111abcdef8.cloudfront.net/b*",
                "starts": 1893000000,
                "ip": None,
                "hash": "SHA1",
            },
        ),
    ],
)
def test_json_says_what_was_signed(run: Run, ecdsa: Path, extra: list[str], told: dict[str, Any]) -> None:
    status, out, err = run(
        *("sign", f"{URL}?a=1", "--key-id", ID, "--private-key", ecdsa / "private_key.pem"),
        *("--expires", "1893456000", "--max-lifetime", "9999d", *extra, "--json"),
    )
    assert (status, err) == (0, "")
    answer = json.loads(out)
    assert judge(ecdsa / "public_key.pem", answer["url"], ip="192.0.2.1", later=1893000001 - time.time()).allowed
    assert answer == {"url": answer["url"], "expires": 1893456000, "key_pair_id": ID, **told}


def test_a_warning_goes_where_it_does_not_get_into_the_url(run: Run, ecdsa: Path) -> None:
    status, out, err = run(
        *("sign", URL, "--key-id", ID, "--private-key", ecdsa / "private_key.pem", "--expires", "1h"),
        *("--ip", "0.0.0.0/0"),
    )
    assert status == 0
    assert out.startswith(URL)
    assert out.count("\n") == 1
    assert err.startswith("warning: ip=0.0.0.0/0 would still shut out")


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"--expires": "1893456000000"}, "it looks like milliseconds: divide by 1000"),
        ({"--expires": "2030-01-01T00:00:00"}, "--expires 2030-01-01T00:00:00 has no time zone"),
        ({"--expires": "2001-01-01T00:00:00Z"}, "choose a time in the future"),
        ({"--expires": "soon"}, "--expires 'soon' is not a time"),
        ({"--starts": "2h"}, "is not before expires"),
        ({"--ip": "2001:db8::/32"}, "support IPv4 only"),
        ({"--resource": "https://elsewhere.example.com/*"}, "does not cover"),
        ({"--hash": "md5"}, "sha256"),
        ({"--key-id": "AKIAIOSFODNN7EXAMPLE"}, "IAM access key"),
        ({"--key-id": "b3ee3859-7e14-4235-abdb-195ff195395c"}, "the id of a key group"),
        ({"--expires": "3600"}, "(--expires 3600s)"),
        ({"--ip": "203.0.113.7:46532"}, "write 203.0.113.7"),
        ({"--private-key": "nowhere.pem"}, "cannot read the private key file nowhere.pem: No such file or directory"),
        ({"--private-key": "."}, "Is a directory"),
        ({"URL": "example.com/a"}, "has no scheme"),
        ({"URL": f"{URL}?Expires=1"}, "already has a parameter 'Expires'"),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_bad_input_is_one_clear_line(
    run: Run, ecdsa: Path, changed: dict[str, str], complaint: str, as_json: bool
) -> None:
    options = {"--key-id": ID, "--private-key": str(ecdsa / "private_key.pem"), "--expires": "1h", **changed}
    url = options.pop("URL", URL)
    flat = [part for option in options.items() for part in option]
    status, out, err = run("sign", url, *flat, *(["--json"] if as_json else []))
    assert (status, out) == (2, "")
    if as_json:
        assert complaint in json.loads(err)["error"]
    else:
        assert complaint in err
        assert "Traceback" not in err


def test_a_public_key_does_not_sign(run: Run, rsa: Path) -> None:
    status, _, err = run("sign", URL, "--key-id", ID, "--private-key", rsa / "public_key.pem", "--expires", "1h")
    assert status == 2
    assert "public_key.pem: found a public key; needed: a private key" in err


def test_cookies_are_set_cookie_lines(execute: Execute, ecdsa: Path) -> None:
    signed = execute(
        *("sign-cookies", "https://a.example.com/42/*", "--key-id", ID, "--expires", "8h", "--same-site", "lax"),
        *("--private-key", ecdsa / "private_key.pem", "--domain", "example.com", "--path", "/42"),
    )
    assert (signed.returncode, signed.stderr) == (0, "")
    jar: SimpleCookie = SimpleCookie()
    for line in signed.stdout.splitlines():
        name, _, value = line.partition(": ")
        assert name == "Set-Cookie"
        jar.load(value)
    assert list(jar) == ["CloudFront-Policy", "CloudFront-Signature", "CloudFront-Key-Pair-Id"]
    for cookie in jar.values():
        assert (cookie["domain"], cookie["path"], cookie["samesite"]) == ("example.com", "/42", "Lax")
        assert cookie["secure"]
        assert cookie["httponly"]
        assert not cookie["max-age"]
        assert not cookie["expires"]
    header = "; ".join(f"{name}={cookie.value}" for name, cookie in jar.items())
    assert judge(ecdsa / "public_key.pem", "https://a.example.com/42/1.ts", cookie=header).allowed
    assert not judge(ecdsa / "public_key.pem", "https://a.example.com/43/1.ts", cookie=header).allowed


@pytest.mark.parametrize("command", [("sign", URL), ("sign-cookies", URL)], ids=lambda command: command[0])
def test_a_long_life_is_signed_with_one_plain_warning_and_refused_where_it_is_bounded(
    command: tuple[str, ...], execute: Execute, ecdsa: Path
) -> None:
    who = ("--key-id", ID, "--private-key", ecdsa / "private_key.pem", "--expires", "30d")
    signed = execute(*command, *who)
    assert signed.returncode == 0
    assert "Signature" in signed.stdout
    assert signed.stderr == (
        "warning: this lives for 30 days, and a signature cannot be taken back: sign for less, or give max_lifetime "
        "(--max-lifetime) to allow it [long-lived]\n"
    )
    assert execute(*command, *who, "--max-lifetime", "30d").stderr == ""
    refused = execute(*command, *who, "--max-lifetime", "7d")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("error: this would live for 30 days")
    assert "max_lifetime is 7 days" in refused.stderr


def test_cookies_as_json_are_a_map(run: Run, ecdsa: Path) -> None:
    status, out, err = run(
        *(
            "sign-cookies",
            URL,
            "--key-id",
            ID,
            "--private-key",
            ecdsa / "private_key.pem",
            "--expires",
            "1893456000",
            "--max-lifetime",
            "9999d",
        ),
        *("--hash", "sha256", "--json"),
    )
    assert (status, err) == (0, "")
    cookies = json.loads(out)
    assert cookies["CloudFront-Expires"] == "1893456000"
    assert cookies["CloudFront-Hash-Algorithm"] == "SHA256"
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())
    assert judge(ecdsa / "public_key.pem", URL, cookie=header).allowed


@pytest.mark.parametrize(
    ("extra", "complaint"),
    [
        (["--domain", "https://a.example.com"], "give the bare name"),
        (["--path", "42"], "does not start with '/'"),
        (["--same-site", "sometimes"], "strict"),
    ],
)
def test_cookies_that_a_browser_would_drop_are_refused(run: Run, ecdsa: Path, extra: list[str], complaint: str) -> None:
    status, out, err = run(
        *("sign-cookies", URL, "--key-id", ID, "--private-key", ecdsa / "private_key.pem", "--expires", "1h", *extra)
    )
    assert (status, out) == (2, "")
    assert complaint in err


# As the program of Terraform's data "external"


@pytest.fixture
def asked(ecdsa: Path) -> dict[str, str]:
    """A query as Terraform sends it: a map of strings, in which an empty one is not set."""
    return {"url": URL, "expires": "1h", "key_id": ID, "private_key": str(ecdsa / "private_key.pem"), "ip": ""}


def test_a_query_is_answered_with_strings_alone(execute: Execute, asked: dict[str, str], ecdsa: Path) -> None:
    done = execute("sign", "--json", input=json.dumps(asked))
    assert (done.returncode, done.stderr) == (0, "")
    answer = json.loads(done.stdout)
    assert {type(value) for value in answer.values()} == {str}
    assert judge(ecdsa / "public_key.pem", answer.pop("url")).allowed
    assert answer.pop("expires").isdigit()
    assert answer == {
        "policy": "canned", "resource": URL, "starts": "", "ip": "", "key_pair_id": ID, "hash": "SHA1"
    }  # fmt: skip


Pipe = Callable[[object], None]


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Pipe:
    """Puts text, or a value as JSON, on standard input."""

    def put(value: object) -> None:
        text = value if isinstance(value, str) else json.dumps(value)
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode("latin-1"))))

    return put


def test_options_may_stand_beside_the_query(run: Run, pipe: Pipe, asked: dict[str, str], ecdsa: Path) -> None:
    private = asked.pop("private_key")
    pipe(
        {**asked, "ip": "192.0.2.0/24", "hash": "sha256", "resource": f"{URL}*", "starts": "1893000000"}
        | {"expires": "1893456000", "max_lifetime": "9999d"}
    )
    status, out, err = run("sign", "--json", "--private-key", private)
    assert (status, err) == (0, "")
    answer = json.loads(out)
    assert (answer["policy"], answer["ip"], answer["hash"]) == ("custom", "192.0.2.0/24", "SHA256")
    assert (answer["starts"], answer["expires"], answer["resource"]) == ("1893000000", "1893456000", f"{URL}*")


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"url": ""}, "there is no URL"),
        ({"expires": ""}, "there is no --expires"),
        ({"expires": 3600}, "expires in the query is not a string"),
        ({"expires": "3600"}, "(--expires 3600s)"),
        ({"hash": "md5"}, "choose sha1 or sha256"),
        ({"link": URL}, "unknown member 'link': choose from url, expires"),
        ({"key_id": "E1ABCDEFGHIJKL"}, "the id of a distribution"),
        ({"private_key": "-"}, "nothing at all"),
        ({"-----BEGIN PRIVATE KEY-----": ""}, "not shown, because it may be a key"),
    ],
)
def test_a_wrong_query_is_one_clear_line(
    run: Run, pipe: Pipe, asked: dict[str, str], changed: dict[str, str], complaint: str
) -> None:
    pipe({**asked, **changed})
    status, out, err = run("sign", "--json")
    assert (status, out) == (2, "")
    assert complaint in json.loads(err)["error"]


@pytest.mark.parametrize("text", ["", "[]", "null", '"url"', "{", "[" * 100_000, " " * 100_001, '{"url": "\xff"}'])
def test_what_is_no_query_is_refused(run: Run, pipe: Pipe, text: str) -> None:
    pipe(text)
    status, out, err = run("sign", "--json")
    assert (status, out) == (2, "")
    assert "standard input is not a JSON object" in json.loads(err)["error"]


def test_an_option_is_given_once(run: Run, pipe: Pipe, asked: dict[str, str]) -> None:
    pipe(asked)
    status, _, err = run("sign", "--json", "--key-id", ID)
    assert status == 2
    assert "key_id is given in the query and as an option" in json.loads(err)["error"]


def test_a_url_and_an_expiry_are_needed(run: Run) -> None:
    assert run("sign")[0::2] == (2, f"error: there is no URL: give the URL to sign, such as {URL}\n")
    status, _, err = run("sign", URL)
    assert status == 2
    assert "there is no --expires" in err
