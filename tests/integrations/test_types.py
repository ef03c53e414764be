"""A type checker finds a missing expiry, and values of the wrong kind, before anybody signs."""

import subprocess
import sys
from pathlib import Path

SNIPPET = """
from datetime import timedelta
from keyfront import Signer, SigningKey, Site
from keyfront.integrations import aio
from keyfront.integrations.botocore import CloudFrontSigner

signer = Signer("K2JCJMDEHXQW5F", SigningKey.generate())
site = Site(signer, "media.example.com")
life = timedelta(hours=1)
signer.sign_url("https://media.example.com/a", expires=life)
site.sign_object("a", expires=life, ip="192.0.2.1")
signer.sign_url("https://media.example.com/a")  # wrong
signer.sign_cookies("https://media.example.com/*")  # wrong
signer.sign_object("a", domain="media.example.com")  # wrong
signer.sign_object("a", expires=life)  # wrong
site.sign_url("/a")  # wrong
site.sign_object("a")  # wrong
site.sign_cookies("/*")  # wrong
signer.sign_url("https://media.example.com/a", expires="1h")  # wrong
site.sign_object("a", expires=life, ip=192)  # wrong
site.sign_url("/a", expires=life, until=life)  # wrong
Signer("K2JCJMDEHXQW5F", "-----BEGIN PRIVATE KEY-----")  # wrong
CloudFrontSigner("K2JCJMDEHXQW5F", "-----BEGIN PRIVATE KEY-----")  # wrong
CloudFrontSigner("K2JCJMDEHXQW5F", lambda data: data).generate_presigned_url("https://a/b", date_less_than=60)  # wrong
site.sign_cookies("/*", expires=life).set_cookie_headers(max_age="1h")  # wrong
links: list[str] = list(signer.sign_many(["https://media.example.com/a"], expires=life))
links = list(signer.sign_many(["https://media.example.com/a"], expires=life, on_error="yield"))  # wrong
signer.sign_many(["https://media.example.com/a"])  # wrong


async def main() -> None:
    await site.sign_url_async("/a", expires=life)
    await site.sign_url_async("/a")  # wrong
    await aio.sign_url(signer, "https://media.example.com/a")  # wrong
"""


def test_mypy_finds_every_wrong_line_and_no_other(tmp_path: Path) -> None:
    file = tmp_path / "shop.py"
    file.write_text(SNIPPET)
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", tmp_path / "cache", file],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=120,
    )
    found = {int(line.split(":")[1]) for line in checked.stdout.splitlines() if ": error: " in line}
    wrong = {number for number, line in enumerate(SNIPPET.splitlines(), 1) if line.endswith("# wrong")}
    assert found == wrong, checked.stdout + checked.stderr
