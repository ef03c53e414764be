"""`keyfront up`: the whole way from a key to a download, with the real curl and the real AWS CLI."""

import contextlib
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from tests.local.up.conftest import FREE_PORTS, KEYFRONT
from tests.needs import program

from keyfront.core.keys import SigningKey
from keyfront.edge.server.certificates import Authority

AWS = Path(sys.executable).with_name("aws")


_HTML = "Accept: text/html"
_LOOPBACK = ("--connect-to", "::127.0.0.1:")


def _eventually(look: Callable[[], Any], wanted: Any, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while (seen := look()) != wanted:
        assert time.monotonic() < deadline, f"still {seen!r}, wanted {wanted!r}"
        time.sleep(0.1)


def _item(up: Any) -> tuple[str, bytes]:
    item = up.printed["items"][0]
    return up.url(item["path"]), Path(item["file"]).read_bytes()


def test_the_aws_cli_lists_the_key_group_of_the_machine(up: Any) -> None:
    listed = up.run(AWS, "--endpoint-url", up.printed["endpoint"], "cloudfront", "list-key-groups", "--output", "json")
    assert listed.returncode == 0, listed.stderr
    groups = json.loads(listed.stdout)["KeyGroupList"]["Items"]
    assert [group["KeyGroup"]["Id"] for group in groups] == [up.printed["key_group"]]


def test_a_file_without_a_signature_is_refused(up: Any) -> None:
    status, body = up.curl(_item(up)[0])
    assert (status, b"<Code>MissingKey</Code>" in body) == (403, True)


def test_a_signed_url_brings_the_right_bytes(up: Any) -> None:
    url, content = _item(up)
    assert up.curl(up.sign(url)) == (200, content)


def test_a_file_that_does_not_exist_is_refused_since_cloudfront_may_not_list_the_bucket(up: Any) -> None:
    status, body = up.curl(up.sign(up.url("nobody-put-this-here.txt")))
    assert (status, b"<Code>AccessDenied</Code><Message>Access Denied</Message>" in body) == (403, True)


def test_a_signed_url_over_plain_http_brings_the_right_bytes_too(up: Any) -> None:
    item = up.printed["items"][0]
    url = f"{up.printed['edge']['http']}/{item['path']}"
    assert up.curl(up.sign(url)) == (200, Path(item["file"]).read_bytes())


def test_one_changed_character_is_refused(up: Any) -> None:
    signed = up.sign(_item(up)[0])
    at = signed.index("Signature=") + 30
    tampered = signed[:at] + ("A" if signed[at] != "A" else "B") + signed[at + 1 :]
    status, body = up.curl(tampered)
    assert (status, b"<Code>AccessDenied</Code>" in body) == (403, True)


def test_a_link_is_refused_when_its_time_is_over(up: Any) -> None:
    signed = up.sign(_item(up)[0], expires="2s")
    assert up.curl(signed)[0] == 200
    _eventually(lambda: up.curl(signed)[0], 403)


def test_signed_cookies_open_the_file(up: Any) -> None:
    url, content = _item(up)
    made = up.keyfront(
        *("sign-cookies", url.rpartition("/")[0] + "/*", "--key-id", up.printed["key_pair_id"]),
        *("--private-key", up.printed["private_key"], "--expires", "1h", "--json"),
    )
    cookies = "; ".join(f"{name}={value}" for name, value in json.loads(made.stdout).items())
    assert up.curl(url, "--cookie", cookies) == (200, content)


def test_a_key_made_by_openssl_and_uploaded_by_the_aws_cli_works_the_same(
    up: Any, tmp_path: Path, need_tool: Callable[[str], Path]
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
    signed = up.keyfront("sign", url, "--key-id", key_id, "--private-key", private, "--expires", "1h").stdout.strip()

    assert b"<Code>InvalidKey</Code>" in up.curl(signed)[1]
    added = up.keyfront("groups", "add", up.printed["key_group"], key_id)
    assert added.returncode == 0, added.stderr
    _eventually(lambda: up.curl(signed), (200, content))
    removed = up.keyfront("groups", "remove", up.printed["key_group"], key_id)
    assert removed.returncode == 0, removed.stderr
    _eventually(lambda: b"<Code>InvalidKey</Code>" in up.curl(signed)[1], True)
    assert up.keyfront("keys", "delete", key_id).returncode == 0


def test_the_key_taken_out_of_the_group_is_unknown_within_seconds(up: Any) -> None:
    url, content = _item(up)
    signed = up.sign(url)
    group, key = up.printed["key_group"], up.printed["key_pair_id"]
    removed = up.keyfront("groups", "remove", group, key)
    assert removed.returncode == 0, removed.stderr
    try:
        _eventually(lambda: b"<Code>InvalidKey</Code>" in up.curl(signed)[1], True)
    finally:
        up.keyfront("groups", "add", group, key)
    _eventually(lambda: up.curl(signed), (200, content))


def test_a_refusal_names_its_finding_and_the_shop_explains_it(up: Any) -> None:
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


def test_a_change_of_the_distribution_is_deployed_when_the_edge_has_it(up: Any) -> None:
    distribution = up.printed["distribution"]["id"]

    def cloudfront(*words: str) -> Any:
        made = up.run(AWS, "cloudfront", *words, "--id", distribution, "--output", "json")
        assert made.returncode == 0, made.stderr
        return json.loads(made.stdout)

    def enable(enabled: bool) -> str:
        got = cloudfront("get-distribution-config")
        config = json.dumps(got["DistributionConfig"] | {"Enabled": enabled})
        updated = cloudfront("update-distribution", "--if-match", got["ETag"], "--distribution-config", config)
        return str(updated["Distribution"]["Status"])

    signed = up.sign(_item(up)[0])
    try:
        assert enable(False) == "InProgress"
        _eventually(lambda: cloudfront("get-distribution")["Distribution"]["Status"], "Deployed")
        assert up.curl(signed)[0] == 403
    finally:
        enable(True)
    _eventually(lambda: up.curl(signed)[0], 200)


def test_a_folder_of_ones_own_is_sold_with_flat_memory_and_not_to_a_country_that_is_blocked(
    start: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "countries.json").write_text('{"127.0.0.0/8": "DE", "::1": "DE"}')
    folder = tmp_path / "für alle"
    folder.mkdir()
    (folder / "a b#1.txt").write_text("mine")
    large = folder / "large.bin"
    with large.open("wb") as file:
        file.truncate(2 * 1024**3)
    with start(tmp_path, "--content", str(folder), "--countries", "countries.json") as up:
        paths = {item["path"] for item in up.printed["items"]}
        assert "large.bin" in paths
        (text,) = paths - {"large.bin"}
        assert up.curl(up.sign(up.url(text))) == (200, b"mine")
        before = _peak_memory(up)
        curl = [
            program("curl"),
            "-s",
            "--cacert",
            up.printed["authority"],
            "-o",
            "/dev/null",
            "-w",
            "%{http_code} %{size_download}",
        ]
        got = subprocess.run([*curl, up.sign(up.url("large.bin"))], capture_output=True, text=True)
        assert got.stdout == f"200 {2 * 1024**3}"
        assert _peak_memory(up) - before < 100 * 1024**2
        _block(up, "DE")
        link = up.sign(up.url(text))
        _eventually(lambda: b"your country" in up.curl(link)[1], True)


def _block(up: Any, country: str) -> None:
    """Let the distribution refuse a country."""
    cloudfront = boto3.client(
        "cloudfront",
        endpoint_url=up.printed["endpoint"],
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    distribution = up.printed["distribution"]["id"]
    got = cloudfront.get_distribution_config(Id=distribution)
    blocked = {"GeoRestriction": {"RestrictionType": "blacklist", "Quantity": 1, "Items": [country]}}
    config: Any = got["DistributionConfig"] | {"Restrictions": blocked}
    cloudfront.update_distribution(Id=distribution, IfMatch=got["ETag"], DistributionConfig=config)


def _peak_memory(up: Any) -> int:
    """The sum over parent and edge of the most memory each ever held, in bytes."""
    pids = [str(up.process.pid), *_children(up.process.pid)]
    lines = [line for pid in pids for line in Path(f"/proc/{pid}/status").read_text().splitlines()]
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def test_a_test_in_javascript_starts_it_in_the_background_and_ends_it(tmp_path: Path) -> None:
    """The example of docs/testing.md, with names that resolve everywhere."""
    page = (Path(__file__).parents[3] / "docs" / "testing.md").read_text("utf-8")
    (tmp_path / "downloads.test.mjs").write_text(page.split("```js\n")[1].split("```")[0])
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "book.epub").write_text("the whole book")
    path = f"{KEYFRONT.parent}:{os.environ['PATH']}"
    command = [str(program("node")), "--test", "--test-reporter=tap", "downloads.test.mjs"]
    environment = {**os.environ, "PATH": path}
    got = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=90)
    assert "\n# pass 1\n" in got.stdout, got.stdout + got.stderr
    _eventually(lambda: [pid for pid in _processes_in(tmp_path) if _alive(pid)], [])
    assert (tmp_path / ".keyfront" / "up.log").read_text() == ""


def _processes_in(folder: Path) -> Iterator[str]:
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "cwd").readlink() == folder:
                yield process.name


def test_what_keeps_it_from_the_background_is_told(tmp_path: Path) -> None:
    command = [str(KEYFRONT), "up", "--wait", "--content", "nowhere", *FREE_PORTS]
    got = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (got.returncode, got.stdout) == (2, "")
    assert got.stderr == "error: the folder 'nowhere' does not exist; name one that exists\n"


def test_it_stops_cleanly_and_leaves_no_process_and_no_port(start: Callable[..., Any], tmp_path: Path) -> None:
    with start(tmp_path) as up:
        children = _children(up.process.pid)
        up.process.send_signal(signal.SIGINT)
        assert up.process.wait(timeout=30) == 0
        assert up.process.stderr.read() == ""
        assert not [child for child in children if Path(f"/proc/{child}").exists()]
        port = int(up.printed["endpoint"].rpartition(":")[2])
        with socket.create_server(("127.0.0.1", port)):
            pass


def test_killing_the_parent_ends_the_edge_as_well(start: Callable[..., Any], tmp_path: Path) -> None:
    with start(tmp_path) as up:
        children = _children(up.process.pid)
        assert children
        up.process.kill()
        up.process.wait()
        _eventually(lambda: [child for child in children if _alive(child)], [])


def _alive(pid: str) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


class TestMistakes:
    """Each is one clear line, exit code 2, and no traceback."""

    def _mistake(self, directory: Path, *arguments: str) -> str:
        keyfront = Path(sys.executable).with_name("keyfront")
        ports = ["--http-port", "0", "--https-port", "0", "--backend-port", "0"]
        ports += [] if "--port" in arguments else ["--port", "0"]
        got = subprocess.run([keyfront, "up", *ports, *arguments], capture_output=True, text=True, cwd=directory)
        assert got.returncode == 2, got
        assert got.stdout == ""
        assert "Traceback" not in got.stderr
        return got.stderr

    def test_a_port_in_use(self, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            said = self._mistake(tmp_path, "--port", str(port))
        assert str(port) in said
        assert "--port" in said

    def test_a_missing_folder(self, tmp_path: Path) -> None:
        assert "not-here" in self._mistake(tmp_path, "--content", "not-here")

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another user")
    @pytest.mark.parametrize("arguments", [[], ["--state", ".keyfront"]], ids=["without state", "with state"])
    def test_a_folder_that_another_user_left(self, tmp_path: Path, arguments: list[str]) -> None:
        """With a key pair to sign with and an authority to trust, as `keyfront up` would find its own."""
        home = tmp_path / ".keyfront"
        for folder in (home, home / "next"):
            SigningKey.generate("ecdsa").write(folder)
        Authority(home / "authority")
        for each in (home, *home.rglob("*")):
            os.chown(each, 12345, 12345)
        assert ".keyfront belongs to another user, uid 12345" in " ".join(self._mistake(tmp_path, *arguments).split())
        os.chown(home, 0, 0)
        assert "belongs to another user, uid 12345" in " ".join(self._mistake(tmp_path, *arguments).split())

    def test_countries_that_are_none(self, tmp_path: Path) -> None:
        (tmp_path / "countries.json").write_text('{"nowhere": "DE"}')
        assert "'nowhere'" in self._mistake(tmp_path, "--countries", "countries.json")

    def test_a_broken_key(self, tmp_path: Path) -> None:
        (tmp_path / ".keyfront").mkdir()
        (tmp_path / ".keyfront" / "private_key.pem").write_text("-----BEGIN PRIVATE KEY-----\nno\n")
        assert "private_key.pem" in self._mistake(tmp_path)


def test_the_private_key_is_written_for_its_owner_alone(up: Any) -> None:
    private = Path(up.printed["private_key"])
    assert private.stat().st_mode & 0o777 == 0o600
    assert hashlib.sha256(private.read_bytes()).hexdigest() not in json.dumps(up.printed)
    assert "PRIVATE" not in json.dumps(up.printed)


def test_the_bucket_opens_to_the_distribution_because_its_policy_says_so(up: Any) -> None:
    bucket, signed = up.printed["bucket"], up.sign(up.url("no-such-object"))
    policy = up.run(
        AWS, "s3api", "get-bucket-policy", "--bucket", bucket, "--query", "Policy", "--output", "text"
    ).stdout
    url, content = _item(up)
    assert up.run(AWS, "s3api", "delete-bucket-policy", "--bucket", bucket).returncode == 0
    try:
        status, body = up.curl(signed)
        assert (status, b"<HostId>" in body, b"MissingKey" in body) == (403, True, False), body
    finally:
        put = up.run(AWS, "s3api", "put-bucket-policy", "--bucket", bucket, "--policy", policy)
        assert put.returncode == 0, put.stderr
    assert up.curl(up.sign(url)) == (200, content)
