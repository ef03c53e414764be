"""The plugin of `keyfront.testing`: a test that failed with a refused download says why it was refused."""

from datetime import timedelta
from pathlib import Path

import pytest

from keyfront.core.keys import SigningKey
from keyfront.core.signing import Signer

pytest_plugins = ["pytester"]

_FAILING = """
import httpx, urllib.error, email.message, io

BODY = "<Error><Code>AccessDenied</Code><Message>Access denied</Message></Error>"

def test_httpx():
    request = httpx.Request("GET", {url!r}, headers={{"Cookie": "a=b"}})
    httpx.Response(403, text=BODY, request=request).raise_for_status()

def test_urllib():
    raise urllib.error.HTTPError({url!r}, 403, "Forbidden", email.message.Message(), io.BytesIO(BODY.encode()))

def test_other():
    assert 1 == 2

def test_fine():
    pass
"""


def test_a_refused_download_is_explained(pytester: pytest.Pytester, tmp_path: Path) -> None:
    key = SigningKey.generate("ecdsa")
    key.write(tmp_path)
    link = Signer("K2JCJMDEHXQW5F", key).sign_url("https://media.example.com/book.epub", expires=timedelta(1))
    pytester.makepyfile(_FAILING.format(url=link.replace("https:", "http:")))
    trust = f"K2JCJMDEHXQW5F={tmp_path / 'public_key.pem'}"
    result = pytester.runpytest("--keyfront-trust", trust)
    result.assert_outcomes(failed=3, passed=1)
    text = result.stdout.str()
    assert text.count("- keyfront explain -") == 2
    assert text.count("CloudFront answers 403 AccessDenied: signed for https://, requested with http://.") == 2
    assert text.count("[protocol-differs]") == 2


def test_the_report_repeats_no_value_of_the_request(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import httpx

        def test_download():
            request = httpx.Request(
                "GET",
                "https://anna:hunter2hunter2@media.example.com/a?email=anna.q%40private.example&t=tk7&Key-Pair-Id=K1",
                headers={"Cookie": "session=s3ss10n", "Authorization": "Bearer b34r3r"},
            )
            text = '{"code": "Forbidden", "message": "no access for bob.r@private.example"}'
            error = RuntimeError("refused")
            error.response = httpx.Response(403, text=text, request=request)
            raise error
        """
    )
    result = pytester.runpytest("--tb=short")
    text = result.stdout.str()
    assert "https://media.example.com/a?email=…%40…&t=…" in text
    for secret in ("hunter2", "anna", "tk7", "s3ss10n", "b34r3r", "bob.r"):
        assert secret not in text


def test_a_key_that_cannot_be_read_ends_the_run(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(_FAILING.format(url="https://media.example.com/book.epub"))
    result = pytester.runpytest("--keyfront-trust", "K1=nowhere.pem")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "--keyfront-trust K1=nowhere.pem" in result.stderr.str()


def test_the_refusal_of_another_server_is_not_explained(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(_FAILING.format(url="https://api.example.com/orders"))
    result = pytester.runpytest()
    result.assert_outcomes(failed=3, passed=1)
    assert "keyfront explain" not in result.stdout.str()
