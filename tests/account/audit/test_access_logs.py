"""What access logs say of signed requests."""

import gzip
from pathlib import Path

import pytest

from keyfront.account.audit.access_logs import read_logs
from keyfront.core.encoding import encode
from keyfront.errors import InputError

_POLICY = encode(b'{"Statement":[{"Resource":"*","Condition":{"IpAddress":{"AWS:SourceIp":"192.0.2.1"}}}]}')


def test_only_signed_requests_that_were_let_in_count(tmp_path: Path) -> None:
    rows = [
        ("200", "Expires=1&Signature=hidden&Key-Pair-Id=K1"),
        ("206", f"Policy={_POLICY}&Signature=hidden&Key-Pair-Id=K1&Hash-Algorithm=SHA256"),
        ("403", "Expires=1&Signature=hidden&Key-Pair-Id=K1"),
        ("200", "-"),
    ]
    text = "#Version: 1.0\n#Fields: cs(Host) sc-status cs-uri-query\n"
    text += "".join(f"d1.cloudfront.net\t{status}\t{query}\n" for status, query in rows)
    path = tmp_path / "log.gz"
    path.write_bytes(gzip.compress(text.encode()))
    facts = read_logs([path])
    assert (facts.signed, facts.sha1, facts.with_address) == (2, 1, 1)
    assert facts.hosts_sha1 == ("d1.cloudfront.net",)


def test_a_file_that_is_no_log_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("hello")
    with pytest.raises(InputError, match="not an access log"):
        read_logs([path])
