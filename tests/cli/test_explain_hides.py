"""`keyfront explain` repeats no value of a viewer's: none of a query parameter, cookie, header or error text."""

import json
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from keyfront.core.keys import SigningKey
from keyfront.core.signing import Signer

Run = Callable[..., tuple[int, str, str]]
Execute = Callable[..., "subprocess.CompletedProcess[str]"]

ID = "K2JCJMDEHXQW5F"
HOST = "media.example.com"
SECRETS = {
    "email": "anna.q@private.example",
    "token": "eyJhbGciOiJIUzI1NiJ9",
    "v": "tk7",
    "session": "s3ss10nc00kie",
    "authorization": "QmVhcmVySXNTZWNyZXQ",
    "referer": "r3f3rr3r-path",
    "password": "hunter2hunter2",
    "said": "bob.r@private.example",
    "fragment": "fr4gm3nt-token",
    "bare": "b4r3t0k3n",
}
QUERY = f"email=anna.q%40private.example&token={SECRETS['token']}&v={SECRETS['v']}&{SECRETS['bare']}"
ERROR = json.dumps({"code": "Forbidden", "message": f"no access for {SECRETS['said']} with {SECRETS['token']}"})


@pytest.fixture
def signer(ecdsa: Path) -> Signer:
    return Signer(ID, SigningKey.load(ecdsa / "private_key.pem"))


@pytest.fixture
def link(signer: Signer) -> str:
    """Signed by a canned policy, with the order of its parameters changed and a password before its host."""
    signed = signer.sign_url(f"https://{HOST}/42/a.mp4?v={SECRETS['v']}&x=1", expires=timedelta(hours=1))
    asked = signed.replace(f"?v={SECRETS['v']}&x=1", f"?x=1&{QUERY}")
    return asked.replace("https://", f"https://anna:{SECRETS['password']}@") + f"#id_token={SECRETS['fragment']}"


@pytest.fixture
def custom(signer: Signer) -> str:
    """Signed by a custom policy that names another query string."""
    expires = timedelta(hours=1)
    url = f"https://{HOST}/42/a.mp4?{QUERY}"
    return signer.sign_url(url, expires=expires, resource=f"{url}*").replace("/42/", "/43/")


def _har(link: str) -> str:
    entry = {
        "startedDateTime": "2026-01-01T00:00:00.000Z",
        "request": {
            "method": "GET",
            "url": link,
            "headers": [
                {"name": "Cookie", "value": f"session={SECRETS['session']}; lone{SECRETS['session']}"},
                {"name": "Authorization", "value": f"Bearer {SECRETS['authorization']}"},
                {"name": "Referer", "value": f"https://app.example.com/{SECRETS['referer']}"},
            ],
        },
        "response": {
            "status": 403,
            "headers": [{"name": "Via", "value": "1.1 x.cloudfront.net (CloudFront)"}],
            "content": {"text": ERROR},
        },
    }
    return json.dumps({"log": {"entries": [entry]}})


def _curl(link: str) -> str:
    return (
        f"curl '{link}' -H 'Cookie: session={SECRETS['session']}' -H 'Authorization: Bearer {SECRETS['authorization']}'"
        f" -e 'https://app.example.com/{SECRETS['referer']}' --proxy-user 'anna:{SECRETS['password']}'"
    )


def _powershell(link: str) -> str:
    return (
        f'Invoke-WebRequest -Uri "{link}" -Headers @{{\n"Authorization"="Bearer {SECRETS["authorization"]}"\n'
        f'"Referer"="https://app.example.com/{SECRETS["referer"]}"\n"Cookie"="session={SECRETS["session"]}"\n}}'
    )


def _signatures(link: str) -> list[str]:
    value = link.partition("Signature=")[2].partition("&")[0].partition("#")[0]
    return [value, value[:24], value[-24:]]


def _leaked(text: str, link: str) -> list[str]:
    assert "[" in text or "{" in text  # There is a report at all.
    return [each for each in (*SECRETS.values(), *_signatures(link)) if each in text]


@pytest.mark.parametrize("form", ["canned", "custom"])
@pytest.mark.parametrize("way", ["url", "har", "curl", "powershell", "response"])
def test_no_output_repeats_a_value(
    run: Run, link: str, custom: str, ecdsa: Path, tmp_path: Path, way: str, form: str
) -> None:
    asked = link if form == "canned" else custom
    file = tmp_path / "given.txt"
    written = {"har": _har, "curl": _curl, "powershell": _powershell}.get(way, lambda _: f"HTTP/1.1 403 x\n\n{ERROR}")
    file.write_text(written(asked), "utf-8")
    sources: dict[str, list[Any]] = {
        "har": ["--har", file],
        "response": [asked, "--response", file],
        "url": [asked, "--cookie", f"session={SECRETS['session']}; lone{SECRETS['session']}"],
    }
    source = sources.get(way, ["--curl", file])
    page = tmp_path / "report.html"
    status, shown, err = run("explain", *source, "--public-key", ecdsa / "public_key.pem", "--html", page)
    assert status == 1
    assert f"https://{HOST}/4" in shown
    assert "email=…" in shown
    _, as_json, _ = run("explain", *source, "--public-key", ecdsa / "public_key.pem", "--json")
    assert json.loads(as_json)["url"].startswith(f"https://{HOST}/4")
    for text in (shown + err, as_json, page.read_text("utf-8")):
        assert _leaked(text, asked) == []


def test_a_key_in_the_place_of_its_id_is_not_repeated(run: Run, link: str, rsa: Path, tmp_path: Path) -> None:
    key = (rsa / "private_key.pem").read_text().replace("\n", "%0A").replace("+", "%2B")
    for secret in (key, "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"):
        page = tmp_path / "report.html"
        _, shown, _ = run("explain", link.replace(ID, secret), "--html", page)
        _, as_json, _ = run("explain", link.replace(ID, secret), "--json")
        for text in (shown, as_json, page.read_text("utf-8")):
            assert secret[40:60] not in text or len(secret) < 60
            assert secret[:20] not in text or "BEGIN" in secret


def test_what_tells_encodings_apart_stays(run: Run, signer: Signer, ecdsa: Path) -> None:
    signed = signer.sign_url(f"https://{HOST}/a?name=attachment%3Bfoo.txt", expires=timedelta(hours=1))
    asked = signed.replace("%3B", ";")
    _, out, _ = run("explain", asked, "--public-key", ecdsa / "public_key.pem", "--json")
    report = json.loads(out)
    assert report["findings"][0]["id"] == "query-encoding-differs"
    lined = next(step["lineup"] for step in report["steps"] if step["lineup"])
    assert lined["expected"][lined["expected_at"] :] == "%3B…"
    assert lined["seen"][lined["seen_at"] :] == ";…"


def test_bad_input_is_not_repeated(run: Run, tmp_path: Path) -> None:
    for given in (f"anna:{SECRETS['password']}@{HOST}/a", f"ftp://anna:{SECRETS['password']}@{HOST}/?t={SECRETS['v']}"):
        status, out, err = run("explain", given)
        assert status in (2, 3)
        assert SECRETS["password"] not in out + err
        assert SECRETS["v"] not in out + err
    file = tmp_path / "command.txt"
    file.write_text(f"curl https://{HOST}/ -b {SECRETS['session']}")
    status, _, err = run("explain", "--curl", file)
    assert status == 2
    assert SECRETS["session"] not in err


def _refused(url: str, status: int = 403) -> dict[str, Any]:
    return {
        "startedDateTime": "2026-01-01T00:00:00.000Z",
        "request": {"method": "GET", "url": url, "headers": []},
        "response": {"status": status, "headers": [{"name": "X-Amz-Cf-Id", "value": "x"}], "content": {}},
    }


@pytest.mark.parametrize(
    ("arguments", "explained"),
    [
        ([], "https://ads.example.net/pixel"),
        (["--host", "media.example.com"], "https://media.example.com/a.mp4"),
        (["--host", "cdn.example.com"], "https://cdn.example.com/ok"),
        (["--distribution", "two-names.json"], "https://media.example.com/a.mp4"),
        (["https://media.example.com/"], "https://media.example.com/a.mp4"),
        (["https://media.example.com/a.mp4?Expires=2"], "https://media.example.com/a.mp4"),
    ],
)
def test_the_refusal_of_the_named_host_comes_first(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], explained: str
) -> None:
    monkeypatch.chdir(tmp_path)
    distributions = json.loads((Path(__file__).parents[1] / "explain" / "distributions.json").read_text("utf-8"))
    configuration = distributions["two-paths"]
    configuration["Aliases"] = {"Quantity": 1, "Items": ["*.example.com"]}
    Path("two-names.json").write_text(json.dumps({"ETag": "E1", "DistributionConfig": configuration}))
    entries = [
        _refused("https://ads.example.net/pixel?user=anna"),
        _refused("https://cdn.example.com/ok", 200),
        _refused("https://media.example.com/a.mp4?Expires=1&Signature=x&Key-Pair-Id=K1"),
    ]
    Path("network.har").write_text(json.dumps({"log": {"entries": entries}}))
    _, out, err = run("explain", *arguments, "--har", "network.har", "--json")
    assert json.loads(out)["url"].partition("?")[0] == explained, err
