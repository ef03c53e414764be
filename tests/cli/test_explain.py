"""`keyfront explain`."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from html import escape
from pathlib import Path
from typing import Any

import boto3
import pytest

from keyfront.core.keys import SigningKey
from keyfront.core.signing import Signer
from keyfront.errors import InputError
from keyfront.explain.inputs import pasted
from keyfront.explain.recipes import RECIPES
from keyfront.explain.rules import RULES

Run = Callable[..., tuple[int, str, str]]
Execute = Callable[..., "subprocess.CompletedProcess[str]"]

URL = "https://media.example.com/42/book.epub"
ID = "K2JCJMDEHXQW5F"


@pytest.fixture
def signer(ecdsa: Path) -> Signer:
    return Signer(ID, SigningKey.load(ecdsa / "private_key.pem"))


@pytest.fixture
def link(signer: Signer) -> str:
    return signer.sign_url(URL, expires=timedelta(hours=1))


def test_a_good_link_is_allowed(run: Run, link: str, ecdsa: Path) -> None:
    status, out, err = run("explain", link, "--public-key", ecdsa / "public_key.pem")
    assert (status, err) == (0, "")
    assert out.startswith("Allowed  CloudFront allows this request")
    assert "\n  ok  Signature       matches the key" in out
    assert not any(line != line.rstrip() for line in out.splitlines())


def test_a_refused_one_says_what_to_mend(run: Run, link: str, ecdsa: Path) -> None:
    status, out, _ = run("explain", link.replace("https", "http"), "--public-key", ecdsa / "public_key.pem")
    assert status == 1
    assert out.startswith(
        "Refused  CloudFront answers 403 AccessDenied: signed for https://, requested with http://.\n"
    )
    assert "[protocol-differs]" in out
    assert "Fix  " in out
    assert "keyfront explain --about protocol-differs" in out
    assert "first difference" in out


def test_the_url_alone_says_what_is_missing(run: Run, link: str, signer: Signer) -> None:
    status, out, _ = run("explain", link)
    assert status == 3
    assert out.startswith("Cannot tell")
    assert "--public-key FILE" in out
    expired = signer.sign_url(URL, expires=timedelta(hours=1))
    status, out, _ = run("explain", expired, "--at", "2h")
    assert status == 1
    assert "The link has expired  [expired]" in out
    assert ": expired 1 h ago" in out


def test_json_is_the_report(run: Run, link: str, ecdsa: Path) -> None:
    bad = link.replace("42", "43")
    status, out, err = run("explain", bad, "--trust", f"{ID}={ecdsa / 'public_key.pem'}", "--json")
    assert (status, err) == (1, "")
    report = json.loads(out)
    assert set(report) == {"version", "verdict", "url", "form", "policy", "times", "steps", "findings", "searched"}
    assert report["version"] == 1
    assert report["verdict"]["outcome"] == "refused"
    assert (report["verdict"]["status"], report["verdict"]["code"]) == (403, "AccessDenied")
    assert [finding["id"] for finding in report["findings"]] == ["signature-does-not-match"]
    assert all(set(step) == {"name", "outcome", "seen", "expected", "lineup"} for step in report["steps"])


def test_a_private_key_is_checked_and_never_shown(run: Run, link: str, rsa: Path, ecdsa: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    bad = link.replace("42", "43")
    arguments = ("explain", bad, "--public-key", ecdsa / "public_key.pem", "--private-key", rsa / "private_key.pem")
    status, out, _ = run(*arguments, "--html", page)
    assert status == 1
    assert "[private-key-of-another-id]" in out
    secret = (rsa / "private_key.pem").read_text().splitlines()[3]
    assert secret not in out + page.read_text("utf-8") + run(*arguments, "--json")[1]
    status, out, _ = run("explain", link, "--private-key", ecdsa / "private_key.pem")
    assert status == 3
    assert "matches the key in private_key.pem" in out


def test_the_page_stands_alone(run: Run, signer: Signer, ecdsa: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    link = signer.sign_url(
        URL, expires=timedelta(hours=1), resource="https://media.example.com/<b>/*".replace("<b>", "42")
    )
    run("explain", link.replace("/42/", "/<script>/"), "--public-key", ecdsa / "public_key.pem", "--html", page)
    text = page.read_text("utf-8")
    assert text.startswith("<!doctype html>")
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "src=" not in text
    assert "<link" not in text
    assert "Signature=" not in text
    for finding in json.loads(run("explain", link.replace("/42/", "/<script>/"), "--json")[1])["findings"]:
        rule = RULES[finding["id"]]
        assert escape(rule.looks) in text
        assert escape(RECIPES[rule.recipe].terraform) in text
    links = re.findall(r'href="([^"]*)"', text)
    assert all(each.startswith("https://docs.aws.amazon.com/") for each in links)


@pytest.mark.parametrize(
    "form",
    [
        "curl '{url}' \\\n  -H 'accept: */*' \\\n  -H 'cookie: theme=dark; {cookie}' --compressed",
        "curl '{url}' -b 'theme=dark; {cookie}' -sSL -o /dev/null",
        "curl $'{url}' -b $'theme=d\\u0061rk; {cookie}'",
        'curl ^"{url}^" ^\n  -H ^"accept: */*^" ^\n  -b ^"theme=dark; {cookie}^"',
        (
            "$session = New-Object Microsoft.PowerShell.Commands.WebRequestSession\n{powershell}\n"
            'Invoke-WebRequest -UseBasicParsing -Uri "{url}" `\n-WebSession $session'
        ),
    ],
    ids=["bash", "bash -b", "bash $''", "cmd", "PowerShell"],
)
def test_a_pasted_command_is_read(run: Run, signer: Signer, ecdsa: Path, tmp_path: Path, form: str) -> None:
    cookies = signer.sign_cookies("https://media.example.com/42/*", expires=timedelta(hours=1))
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())
    shell = "\n".join(
        f'$session.Cookies.Add((New-Object System.Net.Cookie("{name}", "{value}", "/", "media.example.com")))'
        for name, value in cookies.items()
    )
    file = tmp_path / "command.txt"
    file.write_text(form.replace("{url}", URL).replace("{cookie}", header).replace("{powershell}", shell))
    status, out, err = run("explain", "--curl", file, "--public-key", ecdsa / "public_key.pem", "--json")
    assert (status, err) == (0, "")
    assert json.loads(out)["form"] == "signed cookies"
    assert json.loads(out)["url"] == URL


def test_a_command_is_read_from_standard_input(execute: Execute, link: str, ecdsa: Path) -> None:
    seen = execute(
        "explain", "--curl", "-", "--public-key", ecdsa / "public_key.pem", input=f"curl '{link}' --compressed"
    )
    assert (seen.returncode, seen.stderr) == (0, "")
    assert seen.stdout.startswith("Allowed")


def test_curl_options_are_told_apart() -> None:
    found = pasted.request(
        "curl -XPOST --url=https://a.example/x -H 'Host: b.example' -d @file -ubob:secret -b a=1 -b b=2"
    )
    assert found == pasted.Pasted("https://b.example/x", "a=1; b=2", "POST")
    assert pasted.request("$ curl -sIo /dev/null a.example/y").url == "http://a.example/y"
    for text in ("wget x", "curl 'https://a", "curl -s", "curl -b jar.txt https://a.example/", ""):
        with pytest.raises(InputError, match=r"curl|Copy|URL|cookies"):
            pasted.request(text)


def _entry(url: str, status: int, headers: dict[str, str], body: str = "", cookie: str = "") -> dict[str, Any]:
    sent = [{"name": "Cookie", "value": cookie}] if cookie else []
    return {
        "startedDateTime": "2026-01-01T00:00:00.000Z",
        "request": {"method": "GET", "url": url, "headers": sent, "cookies": []},
        "response": {
            "status": status,
            "headers": [{"name": name, "value": value} for name, value in headers.items()],
            "content": {"text": body},
        },
    }


def test_the_first_refused_request_of_a_har_file_is_explained(run: Run, link: str, tmp_path: Path) -> None:
    file = tmp_path / "network.har"
    body = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message><RequestId>1</RequestId></Error>"
    entries = [
        _entry("https://app.example.com/", 403, {}),
        _entry("https://media.example.com/ok.png", 200, {"X-Amz-Cf-Id": "x"}),
        _entry(link, 403, {"Via": "1.1 x.cloudfront.net (CloudFront)", "Server": "AmazonS3"}, body),
    ]
    file.write_text(json.dumps({"log": {"entries": entries}}))
    status, out, _ = run("explain", "--har", file, "--json")
    assert status == 1
    report = json.loads(out)
    assert report["findings"][0]["id"] == "s3-access-denied"
    assert report["url"] == URL
    assert report["times"]["asked"] == 1767225600
    assert run("explain", "https://media.example.com/ok.png", "--har", file)[0] == 1  # 200, and by its URL unsigned
    assert run("explain", "https://nowhere.example/", "--har", file)[0] == 2


def test_an_answer_is_read_with_its_headers(run: Run, link: str, tmp_path: Path) -> None:
    file = tmp_path / "answer.txt"
    file.write_text(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/2 403 \r\nserver: CloudFront\r\ncontent-type: text/xml\r\n\r\n"
        '<?xml version="1.0" encoding="UTF-8"?><Error><Code>InvalidKey</Code><Message>Unknown Key</Message></Error>'
    )
    status, out, _ = run("explain", link, "--response", file)
    assert status == 1
    assert out.startswith("Refused  CloudFront answers 403 InvalidKey: CloudFront does not trust this key here.")


def test_a_saved_distribution_is_read(run: Run, link: str, ecdsa: Path, tmp_path: Path) -> None:
    distributions = json.loads((Path(__file__).parents[1] / "explain" / "distributions.json").read_text("utf-8"))
    file = tmp_path / "distribution.json"
    file.write_text(json.dumps({"ETag": "E1", "DistributionConfig": distributions["two-paths"]}))
    arguments = ("--distribution", file, "--public-key", ecdsa / "public_key.pem")
    status, out, _ = run("explain", link, *arguments)
    assert status == 0
    assert "matches *" in out
    status, out, _ = run("explain", link.replace("/42/", "/open/"), *arguments)
    assert status == 0
    assert "[behavior-is-public]" in out


def test_a_live_distribution_is_read(run: Run, service: Any, ecdsa: Path) -> None:
    client = boto3.client("cloudfront", "us-east-1", endpoint_url=service.url)
    pem = (ecdsa / "public_key.pem").read_text()
    made = client.create_public_key(PublicKeyConfig={"CallerReference": "1", "Name": "k", "EncodedKey": pem})
    key_id = made["PublicKey"]["Id"]
    group = client.create_key_group(KeyGroupConfig={"Name": "g", "Items": [key_id]})["KeyGroup"]["Id"]
    behavior: Any = {
        "TargetOriginId": "shop",
        "ViewerProtocolPolicy": "https-only",
        "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
        "TrustedKeyGroups": {"Enabled": True, "Quantity": 1, "Items": [group]},
    }
    ports: Any = {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"}
    origin: Any = {"Id": "shop", "DomainName": "origin.example.com", "CustomOriginConfig": ports}
    distribution = client.create_distribution(
        DistributionConfig={
            "CallerReference": "1",
            "Comment": "",
            "Enabled": True,
            "Origins": {"Quantity": 1, "Items": [origin]},
            "DefaultCacheBehavior": behavior,
        }
    )["Distribution"]
    signer = Signer(key_id, SigningKey.load(ecdsa / "private_key.pem"))
    link = signer.sign_url(f"https://{distribution['DomainName']}/book.epub", expires=timedelta(hours=1))
    status, out, err = run("explain", link, "--distribution", distribution["Id"])
    assert (status, err) == (0, "")
    assert f"trusts {key_id}" in out
    status, out, _ = run("explain", link.replace("book", "cook"), "--distribution", distribution["DomainName"])
    assert status == 1
    elsewhere = signer.sign_url("https://origin.example.com/book.epub", expires=timedelta(hours=1))
    asked = elsewhere.replace("origin.example.com", distribution["DomainName"])
    assert "[origin-host-signed]" in run("explain", asked, "--distribution", distribution["Id"])[1]
    status, _, err = run("explain", link, "--distribution", "E1NOWHERE0000")
    assert status == 2
    assert f"there is no such distribution in the account (it has {distribution['Id']}), and no such file" in err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "give a URL, --curl FILE or --har FILE"),
        ([URL, "--country", "Germany"], "is not a country: give its two letters, such as DE"),
        ([URL, "--curl", "x"], "give the URL or --curl, not both"),
        ([URL, "--ip", "192.0.2.0/24"], "is not an address"),
        ([URL, "--at", "yesterday"], "is not a time"),
        ([URL, "--trust", "x"], "write the key's id and its file"),
        ([URL, "--response", "nowhere.xml"], "cannot read the response from nowhere.xml"),
        ([URL, "--distribution", "nowhere.json"], "cannot read the distribution from nowhere.json"),
        (["--har", "nowhere.har"], "cannot read the HAR file"),
    ],
)
def test_bad_input_is_one_clear_line(run: Run, arguments: list[str], complaint: str) -> None:
    status, out, err = run("explain", *arguments)
    assert (status, out) == (2, "")
    assert complaint in err
    assert err.count("\n") == 1


def test_it_starts_without_what_it_does_not_need(link: str) -> None:
    code = (
        "import sys\nfrom keyfront.cli import main\nmain(['explain', sys.argv[1]])\n"
        "print([name for name in ('boto3', 'botocore', 'httpx', 'starlette') if name in sys.modules])"
    )
    seen = subprocess.run([sys.executable, "-c", code, link], capture_output=True, text=True, check=True)
    assert seen.stdout.splitlines()[-1] == "[]"


def test_what_would_move_a_cursor_is_shown_escaped(run: Run) -> None:
    _, out, _ = run("explain", "https://media.example.com/\x1b[2Jx?Key-Pair-Id=\x1b]0;x&Expires=1&Signature=\x07")
    assert "\x1b" not in out
    assert "\x07" not in out
