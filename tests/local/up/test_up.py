"""`keyfront up`: the whole way from a key to a download, with the real curl and the real AWS CLI."""

import contextlib
import hashlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.local.up.conftest import KEYFRONT, Up, is_alive
from tests.needs import program
from tests.waiting import wait_until

from keyfront.core.keys import SigningKey
from keyfront.edge.server.certificates import Authority

AWS = Path(sys.executable).with_name("aws")
Mistake = Callable[..., str]
_LARGE = 256 * 1024**2
"""The size of a file, many times of what may be held of it at a time."""

_HTML = "Accept: text/html"
_LOOPBACK = ("--connect-to", "::127.0.0.1:")


def _item(up: Up) -> tuple[str, bytes]:
    item = up.printed["items"][0]
    return up.url(item["path"]), Path(item["file"]).read_bytes()


def test_the_aws_cli_lists_the_key_group_of_the_machine(up: Up) -> None:
    listed = up.run(AWS, "--endpoint-url", up.printed["endpoint"], "cloudfront", "list-key-groups", "--output", "json")
    assert listed.returncode == 0, listed.stderr
    groups = json.loads(listed.stdout)["KeyGroupList"]["Items"]
    assert [group["KeyGroup"]["Id"] for group in groups] == [up.printed["key_group"]]


def test_a_file_without_a_signature_is_refused(up: Up) -> None:
    status, body = up.curl(_item(up)[0])
    assert (status, b"<Code>MissingKey</Code>" in body) == (403, True)


def test_a_signed_url_brings_the_right_bytes(up: Up) -> None:
    url, content = _item(up)
    signed = up.keyfront(
        *("sign", url, "--key-id", up.printed["key_pair_id"], "--private-key", up.printed["private_key"]),
        *("--expires", "1h"),
    )
    assert up.curl(signed) == (200, content)


def test_a_file_that_does_not_exist_is_refused_since_cloudfront_may_not_list_the_bucket(up: Up) -> None:
    status, body = up.curl(up.sign(up.url("nobody-put-this-here.txt")))
    assert (status, b"<Code>AccessDenied</Code><Message>Access Denied</Message>" in body) == (403, True)


def test_a_signed_url_over_plain_http_brings_the_right_bytes_too(up: Up) -> None:
    item = up.printed["items"][0]
    url = f"{up.printed['edge']['http']}/{item['path']}"
    assert up.curl(up.sign(url)) == (200, Path(item["file"]).read_bytes())


def test_one_changed_character_is_refused(up: Up) -> None:
    signed = up.sign(_item(up)[0])
    at = signed.index("Signature=") + 30
    tampered = signed[:at] + ("A" if signed[at] != "A" else "B") + signed[at + 1 :]
    status, body = up.curl(tampered)
    assert (status, b"<Code>AccessDenied</Code>" in body) == (403, True)


def test_a_link_is_refused_when_its_time_is_over(up: Up) -> None:
    def opens() -> str:
        """A link that was in time: a busy machine may take longer to ask."""
        signed = up.sign(_item(up)[0], timedelta(seconds=2))
        return signed if up.curl(signed)[0] == 200 else ""

    signed = wait_until(opens)
    wait_until(lambda: up.curl(signed)[0] == 403)


def test_signed_cookies_open_the_file(up: Up) -> None:
    url, content = _item(up)
    made = up.keyfront(
        *("sign-cookies", url.rpartition("/")[0] + "/*", "--key-id", up.printed["key_pair_id"]),
        *("--private-key", up.printed["private_key"], "--expires", "1h", "--json"),
    )
    cookies = "; ".join(f"{name}={value}" for name, value in json.loads(made).items())
    assert up.curl(url, "--cookie", cookies) == (200, content)


def test_a_key_made_by_openssl_and_uploaded_by_the_aws_cli_works_the_same(
    up: Up, tmp_path: Path, need_tool: Callable[[str], Path]
) -> None:
    private, public = tmp_path / "private.pem", tmp_path / "public.pem"
    openssl = need_tool("openssl")
    subprocess.run([openssl, "genrsa", "-out", private, "2048"], check=True, capture_output=True)
    subprocess.run([openssl, "rsa", "-pubout", "-in", private, "-out", public], check=True, capture_output=True)
    config = {"CallerReference": "by-openssl", "Name": "by-openssl", "EncodedKey": public.read_text()}
    made = up.run(AWS, "cloudfront", "create-public-key", "--public-key-config", json.dumps(config), "--output", "json")
    assert made.returncode == 0, made.stderr
    key_id = json.loads(made.stdout)["PublicKey"]["Id"]
    url, content = _item(up)
    signed = up.keyfront("sign", url, "--key-id", key_id, "--private-key", private, "--expires", "1h")

    assert b"<Code>InvalidKey</Code>" in up.curl(signed)[1]
    up.keyfront("groups", "add", up.printed["key_group"], key_id)
    wait_until(lambda: up.curl(signed) == (200, content))
    up.keyfront("groups", "remove", up.printed["key_group"], key_id)
    wait_until(lambda: b"<Code>InvalidKey</Code>" in up.curl(signed)[1])
    up.keyfront("keys", "delete", key_id)


def test_the_key_taken_out_of_the_group_is_unknown_within_seconds(up: Up) -> None:
    url, content = _item(up)
    signed = up.sign(url)
    group, key = up.printed["key_group"], up.printed["key_pair_id"]
    up.keyfront("groups", "remove", group, key)
    try:
        wait_until(lambda: b"<Code>InvalidKey</Code>" in up.curl(signed)[1])
    finally:
        up.keyfront("groups", "add", group, key)
    wait_until(lambda: up.curl(signed) == (200, content))


def test_a_refusal_names_its_finding_and_the_shop_explains_it(up: Up) -> None:
    item = up.printed["items"][0]["path"]
    where = up.printed["edge"]["http"]
    changed = up.sign(f"{where}/{item}") + "&utm_source=mail"
    status, answer = up.curl(changed, "--include", *_LOOPBACK)
    assert status == 403
    assert b"x-keyfront-finding: query-added\r\n" in answer.lower()
    assert answer.endswith(b"<Error><Code>AccessDenied</Code><Message>Access denied</Message></Error>")
    status, page = up.curl(f"{up.printed['shop']}/refused", "--data-urlencode", f"link={changed}", "--header", _HTML)
    assert status == 200
    assert b"<code>keyfront explain --about query-added</code>" in page


def test_a_change_of_the_distribution_is_deployed_when_the_edge_has_it(up: Up) -> None:
    distribution, cloudfront = up.printed["distribution"]["id"], up.client("cloudfront")

    def enable(enabled: bool) -> str:
        got = cloudfront.get_distribution_config(Id=distribution)
        config = got["DistributionConfig"] | {"Enabled": enabled}
        updated = cloudfront.update_distribution(Id=distribution, IfMatch=got["ETag"], DistributionConfig=config)
        return str(updated["Distribution"]["Status"])

    signed = up.sign(_item(up)[0])
    try:
        assert enable(False) == "InProgress"
        wait_until(lambda: cloudfront.get_distribution(Id=distribution)["Distribution"]["Status"] == "Deployed")
        assert up.curl(signed)[0] == 403
    finally:
        enable(True)
    wait_until(lambda: up.curl(signed)[0] == 200)


def test_a_folder_of_ones_own_is_sold_with_flat_memory_and_not_to_a_country_that_is_blocked(
    start: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "countries.json").write_text('{"127.0.0.0/8": "DE", "::1": "DE"}')
    folder = tmp_path / "für alle"
    folder.mkdir()
    (folder / "a b#1.txt").write_text("mine")
    large = folder / "large.bin"
    with large.open("wb") as file:
        file.truncate(_LARGE)
    with start(tmp_path, "--content", str(folder), "--countries", "countries.json") as up:
        paths = {item["path"] for item in up.printed["items"]}
        assert "large.bin" in paths
        (text,) = paths - {"large.bin"}
        assert up.curl(up.sign(up.url(text))) == (200, b"mine")
        before = _peak_memory(up)
        curl = [program("curl"), "-s", "--cacert", up.printed["authority"], "-o", "/dev/null"]
        curl += ["-w", "%{http_code} %{size_download}", up.sign(up.url("large.bin"))]
        got = subprocess.run(curl, capture_output=True, text=True)
        assert got.stdout == f"200 {_LARGE}"
        assert _peak_memory(up) - before < 100 * 1024**2
        _block(up, "DE")
        link = up.sign(up.url(text))
        wait_until(lambda: b"your country" in up.curl(link)[1])


def _block(up: Up, country: str) -> None:
    """Let the distribution refuse a country."""
    cloudfront, distribution = up.client("cloudfront"), up.printed["distribution"]["id"]
    got = cloudfront.get_distribution_config(Id=distribution)
    blocked = {"GeoRestriction": {"RestrictionType": "blacklist", "Quantity": 1, "Items": [country]}}
    config: Any = got["DistributionConfig"] | {"Restrictions": blocked}
    cloudfront.update_distribution(Id=distribution, IfMatch=got["ETag"], DistributionConfig=config)


def _peak_memory(up: Up) -> int:
    """The sum over parent and edge of the most memory each ever held, in bytes."""
    pids = [str(up.process.pid), *up.children()]
    lines = [line for pid in pids for line in Path(f"/proc/{pid}/status").read_text().splitlines()]
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def test_a_test_in_javascript_starts_it_in_the_background_and_ends_it(tmp_path: Path) -> None:
    """The example of docs/testing.md, with names that resolve everywhere."""
    page = (Path(__file__).parents[3] / "docs" / "testing.md").read_text("utf-8")
    (tmp_path / "downloads.test.mjs").write_text(page.split("```js\n")[1].split("```")[0])
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "book.epub").write_text("the whole book")
    path = f"{KEYFRONT.parent}:{os.environ['PATH']}"
    command = [str(program("node")), "--test", "--test-reporter=tap", "downloads.test.mjs"]
    environment = {**os.environ, "PATH": path}
    got = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=180)
    assert "\n# pass 1\n" in got.stdout, got.stdout + got.stderr
    wait_until(lambda: not any(map(is_alive, _processes_in(tmp_path))))
    assert (tmp_path / ".keyfront" / "up.log").read_text() == ""


def _processes_in(folder: Path) -> Iterator[str]:
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "cwd").readlink() == folder:
                yield process.name


class TestMistakes:
    """Each is one clear line, and exit code 2."""

    def test_what_keeps_it_from_the_background(self, mistake: Mistake) -> None:
        said = mistake("--wait", "--content", "nowhere")
        assert said == "error: the folder 'nowhere' does not exist; name one that exists"

    def test_a_port_in_use(self, mistake: Mistake) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            said = mistake("--port", str(port))
        assert str(port) in said
        assert "--port" in said

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another user")
    @pytest.mark.parametrize("arguments", [[], ["--state", ".keyfront"]], ids=["without state", "with state"])
    def test_a_folder_that_another_user_left(self, mistake: Mistake, tmp_path: Path, arguments: list[str]) -> None:
        """With a key pair to sign with and an authority to trust, as `keyfront up` would find its own."""
        home = tmp_path / ".keyfront"
        for folder in (home, home / "next"):
            SigningKey.generate("ecdsa").write(folder)
        Authority(home / "authority")
        for each in (home, *home.rglob("*")):
            os.chown(each, 12345, 12345)
        assert ".keyfront belongs to another user, uid 12345" in mistake(*arguments)
        os.chown(home, 0, 0)
        assert "belongs to another user, uid 12345" in mistake(*arguments)

    def test_countries_that_are_none(self, mistake: Mistake, tmp_path: Path) -> None:
        (tmp_path / "countries.json").write_text('{"nowhere": "DE"}')
        assert "'nowhere'" in mistake("--countries", "countries.json")

    def test_a_broken_key(self, mistake: Mistake, tmp_path: Path) -> None:
        (tmp_path / ".keyfront").mkdir()
        (tmp_path / ".keyfront" / "private_key.pem").write_text("-----BEGIN PRIVATE KEY-----\nno\n")
        assert "private_key.pem" in mistake()


def test_the_private_key_is_written_for_its_owner_alone(up: Up) -> None:
    private = Path(up.printed["private_key"])
    assert private.stat().st_mode & 0o777 == 0o600
    assert hashlib.sha256(private.read_bytes()).hexdigest() not in json.dumps(up.printed)
    assert "PRIVATE" not in json.dumps(up.printed)


def test_the_bucket_opens_to_the_distribution_because_its_policy_says_so(up: Up) -> None:
    bucket, signed, s3 = up.printed["bucket"], up.sign(up.url("no-such-object")), up.client("s3")
    policy = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    url, content = _item(up)
    s3.delete_bucket_policy(Bucket=bucket)
    try:
        status, body = up.curl(signed)
        assert (status, b"<HostId>" in body, b"MissingKey" in body) == (403, True, False), body
    finally:
        s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    assert up.curl(up.sign(url)) == (200, content)


def test_without_a_state_nothing_is_written_but_the_keys(up: Up) -> None:
    written = {path.relative_to(up.directory).parts[:2] for path in up.directory.rglob("*") if path.is_file()}
    assert written == {(".keyfront", name) for name in ("private_key.pem", "public_key.pem", "next", "authority")}
