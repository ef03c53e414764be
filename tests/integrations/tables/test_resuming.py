"""A run that ended too early is continued by the same command, and loses or doubles nothing."""

import itertools
import json
import os
import re
import resource
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.keys import shared_rsa
from tests.waiting import wait_until

from keyfront import Signer, SigningKey
from keyfront.cli import main
from keyfront.errors import InputError, KeyfrontError, ServiceError
from keyfront.integrations.tables import Progress, TableTerms, sign_table

SITE = "https://d111111abcdef8.cloudfront.net"
TERMS = TableTerms(url_column="url", expires=timedelta(hours=1))
Read = Callable[[Path], list[dict[str, str]]]
Write = Callable[..., Path]


class StoppedError(Exception):
    """What the test stops a run with."""


def stop_after(rows: int) -> Callable[[Progress], None]:
    def look(told: Progress) -> None:
        if told.doing == "signing" and told.done >= rows:
            raise StoppedError

    return look


def expiries(rows: list[dict[str, str]]) -> set[str]:
    return {re.findall(r"Expires=(\d+)&", each["signed_url"])[0] for each in rows}


def test_killed_before_any_change_of_a_file_the_next_run_finishes_it(tmp_path: Path, write_csv: Write) -> None:
    urls = [f"{SITE}/{n}" if n % 5 else f"no/{n}" for n in range(14)]
    folder = tmp_path / "lab"
    folder.mkdir()
    lab = [sys.executable, str(Path(__file__).with_name("lab.py")), str(write_csv(urls)), str(folder)]
    done = subprocess.run(lab, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    kills = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(kills) > 8
    for kill in kills[:-1]:
        assert kill["killed"], kill
        assert [each.partition("?")[0] for each in kill["signed"]] == [url for url in urls if url.startswith("http")]
        assert kill["rejected"] == [url for url in urls if url.startswith("no")]
        assert len(expiries([{"signed_url": each} for each in kill["signed"]])) == 1
        assert kill["files"] == ["out.csv", "out.csv.rejects.csv"]
        if kill["refused"]:  # killed after the last change that matters
            assert kill["whole_already"], kill
            assert "already exists" in kill["refused"]
    assert not kills[-1]["killed"]
    kept = [kill["kept"] for kill in kills[:-1]]
    assert {0, 14} <= set(kept)
    # OUT is never there before all of it is.
    assert all("out.csv" not in kill["left"] for kill in kills[:-1] if kill["kept"] < 14 and not kill["refused"])


def ends(work: Path) -> list[int]:
    """Where the parts with rows in a work file end, in bytes."""
    data, found, at = work.read_bytes() if work.exists() else b"", list[int](), 0
    while at + 20 <= len(data):
        length, rows = struct.unpack_from(">QQ", data, at)
        at += 20 + length
        if rows and at <= len(data):
            found.append(at)
    return found


@contextmanager
def begun(execute: list[str], work: Path, parts: int) -> Iterator["subprocess.Popen[str]"]:
    """The command, when it has so many parts done. It hears Ctrl-C, as a job of a shell's does not."""
    with subprocess.Popen(
        execute,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        until = time.monotonic() + 60
        while len(ends(work)) < parts:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < until
            time.sleep(0.002)
        yield process


def children(process: int) -> list[int]:
    found = Path(f"/proc/{process}/task").glob("*/children")
    return [int(each) for path in found for each in path.read_text().split()]


def runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["SIGKILL", "Ctrl-C"])
def test_the_command_is_stopped_with_its_processes_and_continues(
    how: signal.Signals, tmp_path: Path, write_csv: Write, read_csv: Read, key: SigningKey
) -> None:
    key.write(tmp_path)
    urls = [f"{SITE}/{n}" for n in range(16_000)]
    out = tmp_path / "out.csv"
    command = [
        *(str(Path(sys.executable).with_name("keyfront")), "sign-table", str(write_csv(urls)), str(out)),
        *("--url-column", "url", "--expires", "1h", "--key-id", "K2JCJMDEHXQW5F"),
        *("--private-key", str(tmp_path / "private_key.pem"), "--processes", "2", "--part-rows", "500"),
    ]
    with begun(command, tmp_path / "out.csv.keyfront", 3) as process:
        workers = children(process.pid)
        process.send_signal(how)
        said = process.communicate()[1]
    assert process.returncode == (-9 if how == signal.SIGKILL else 130)
    if how == signal.SIGINT:
        assert said == f"stopped: the finished work is in {out}.keyfront; run the same command to continue\n"
    assert len(workers) >= 2
    wait_until(lambda: not any(map(runs, workers)), told=lambda: "a worker outlived its parent")
    assert not out.exists()
    continued = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=60)
    assert continued.returncode == 0, continued.stderr
    told = json.loads(continued.stdout)
    assert (told["signed"], told["rejected"]) == (16_000, 0)
    assert told["kept"] >= 1500
    rows = read_csv(out)
    assert [each["url"] for each in rows] == urls
    assert expiries(rows) == {str(told["expires"])}
    assert not (tmp_path / "out.csv.keyfront").exists()


@pytest.mark.parametrize("damage", ["cut", "zeros", "changed"])
def test_a_part_that_is_torn_is_made_anew_and_those_before_it_are_kept(
    damage: str, tmp_path: Path, write_csv: Write, read_csv: Read
) -> None:
    """As a power failure leaves a file. With a key whose signatures are always the same."""
    signer = Signer("K2JCJMDEHXQW5F", shared_rsa())
    terms = replace(TERMS, expires=int(time.time()) + 3600)
    source = write_csv([f"{SITE}/{n}" if n % 7 else f"no/{n}" for n in range(60)])
    whole = sign_table(source, tmp_path / "whole.csv", signer, terms, processes=1)
    with pytest.raises(StoppedError):
        sign_table(source, tmp_path / "out.csv", signer, terms, part_rows=10, processes=1, progress=stop_after(50))
    work = tmp_path / "out.csv.keyfront"
    left = work.read_bytes()
    parts = ends(work)
    for kept, (begin, end) in enumerate(itertools.pairwise(parts), 1):
        for at in (begin, begin + 1, begin + 19, begin + 20, (begin + end) // 2, end - 8):
            torn = {
                "cut": left[:at],
                "zeros": left[:at] + bytes(len(left) - at),
                "changed": left[:at] + bytes([left[at] ^ 1]) + left[at + 1 :],
            }
            work.write_bytes(torn[damage])
            done = sign_table(source, tmp_path / "out.csv", signer, terms, force=True)
            assert done.kept == kept * 10
            assert done.out.read_bytes() == whole.out.read_bytes()
            assert done.reject is not None
            assert whole.reject is not None
            assert done.reject.read_bytes() == whole.reject.read_bytes()
            assert not work.exists()


@pytest.fixture
def stopped(tmp_path: Path, write_csv: Write, signer: Signer) -> Path:
    """A table that was stopped on its way to out.csv."""
    source = write_csv([f"{SITE}/{n}" for n in range(100)])
    with pytest.raises(StoppedError):
        sign_table(source, tmp_path / "out.csv", signer, TERMS, part_rows=10, processes=1, progress=stop_after(20))
    return source


@pytest.mark.parametrize(
    ("terms", "options", "told"),
    [
        ({"expires": timedelta(hours=2)}, {}, "expires was 1:00:00 and is 2:00:00"),
        ({"ip": "192.0.2.1"}, {}, r"ip was not given and is 192\.0\.2\.1"),
        ({"signed_column": "s"}, {}, "signed_column was not given and is s"),
        ({}, {"reject": Path("elsewhere.csv")}, "reject was .*out.csv.rejects.csv and is .*elsewhere.csv"),
    ],
)
def test_other_options_are_no_continuation(
    terms: dict[str, Any], options: dict[str, Any], told: str, stopped: Path, signer: Signer
) -> None:
    with pytest.raises(InputError, match=f"{told}.*--restart"):
        sign_table(stopped, stopped.with_name("out.csv"), signer, replace(TERMS, **terms), **options)


def test_another_key_is_no_continuation(stopped: Path) -> None:
    other = Signer("K2JCJMDEHXQW5F", SigningKey.generate("ecdsa"))
    with pytest.raises(InputError, match=r"the signer was K2JCJMDEHXQW5F, SHA256:.*--restart"):
        sign_table(stopped, stopped.with_name("out.csv"), other, TERMS)


def test_another_table_is_no_continuation_and_restart_begins_anew(
    stopped: Path, signer: Signer, read_csv: Read
) -> None:
    stopped.write_text(f"url\n{SITE}/other\n")
    out = stopped.with_name("out.csv")
    with pytest.raises(InputError, match=r"the table was .* and is .*--restart starts again"):
        sign_table(stopped, out, signer, TERMS)
    done = sign_table(stopped, out, signer, TERMS, restart=True)
    assert (done.signed, done.kept) == (1, 0)
    assert [each["url"] for each in read_csv(out)] == [f"{SITE}/other"]


def test_a_continued_run_gives_nothing_that_has_expired(tmp_path: Path, write_csv: Write, signer: Signer) -> None:
    source, out = write_csv([f"{SITE}/{n}" for n in range(20)]), tmp_path / "out.csv"
    until = int(time.time()) + 2
    terms = replace(TERMS, expires=until)
    with pytest.raises(StoppedError):
        sign_table(source, out, signer, terms, part_rows=1, processes=1, progress=stop_after(2))
    wait_until(lambda: time.time() >= until, told=lambda: "the time stands still")
    with pytest.raises(InputError, match="expiry time of this run has passed: --restart"):
        sign_table(source, out, signer, terms)


def test_a_table_that_changes_while_it_is_read_is_not_put_together(
    tmp_path: Path, write_csv: Write, signer: Signer
) -> None:
    source, out = write_csv([f"{SITE}/{n}" for n in range(20)]), tmp_path / "out.csv"

    def touch(told: Progress) -> None:
        os.utime(source, ns=(0, 0))

    with pytest.raises(InputError, match="was changed while it was read"):
        sign_table(source, out, signer, TERMS, part_rows=5, processes=1, progress=touch)
    assert not out.exists()


def test_a_work_file_that_is_somebody_elses_is_not_written_into(
    tmp_path: Path, write_csv: Write, signer: Signer
) -> None:
    table, work = write_csv([f"{SITE}/1"]), tmp_path / "out.csv.keyfront"
    (tmp_path / "elsewhere").write_text("mine")
    work.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="is not a regular file"):
        sign_table(table, tmp_path / "out.csv", signer, TERMS)
    work.unlink()
    work.touch()
    work.chmod(0o666)
    with pytest.raises(InputError, match="may write to"):
        sign_table(table, tmp_path / "out.csv", signer, TERMS)
    if os.geteuid() == 0:
        work.chmod(0o600)
        os.chown(work, 12345, 12345)
        with pytest.raises(InputError, match="belongs to another user, uid 12345"):
            sign_table(table, tmp_path / "out.csv", signer, TERMS)
    assert (tmp_path / "elsewhere").read_text() == "mine"


def test_nothing_is_written_through_a_link_beside_the_table(tmp_path: Path, write_csv: Write, signer: Signer) -> None:
    table = write_csv([f"{SITE}/1", "no"])
    (tmp_path / "elsewhere").write_text("mine")
    for name in ("out.csv.keyfront-new", "out.csv.rejects.csv.keyfront-new"):
        (tmp_path / name).symlink_to(tmp_path / "elsewhere")
    assert sign_table(table, tmp_path / "out.csv", signer, TERMS).rejected == 1
    assert (tmp_path / "elsewhere").read_text() == "mine"


def test_two_runs_do_not_write_one_table(stopped: Path, signer: Signer) -> None:
    out = stopped.with_name("out.csv")
    refused: list[str] = []

    def second(told: Progress) -> None:
        try:
            sign_table(stopped, out, signer, TERMS)
        except InputError as error:
            refused.append(str(error))

    assert sign_table(stopped, out, signer, TERMS, processes=1, progress=second).signed == 100
    assert refused
    assert all("another run is writing" in each for each in refused)


def test_a_work_file_that_is_not_ours_is_told_and_kept(tmp_path: Path, write_csv: Write, signer: Signer) -> None:
    work = tmp_path / "out.csv.keyfront"
    work.write_text("notes of mine, and not keyfront's")
    source = write_csv([f"{SITE}/1"])
    with pytest.raises(InputError, match="is not a work file of this version of keyfront: --restart"):
        sign_table(source, tmp_path / "out.csv", signer, TERMS)
    assert work.read_text() == "notes of mine, and not keyfront's"
    assert sign_table(source, tmp_path / "out.csv", signer, TERMS, restart=True).signed == 1


@pytest.mark.parametrize("limit", [3_000, 20_000], ids=["a part", "the whole"])
def test_a_full_disk_is_told_and_what_is_done_is_kept(
    limit: int,
    tmp_path: Path,
    write_csv: Write,
    read_csv: Read,
    key: SigningKey,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The limit of a file's size stands in for the disk's."""
    key.write(tmp_path)
    urls = [f"{SITE}/{n}" for n in range(100)]
    command = [
        *(str(Path(sys.executable).with_name("keyfront")), "sign-table", str(write_csv(urls)), "out.csv"),
        *("--url-column", "url", "--expires", "1h", "--key-id", "K2JCJMDEHXQW5F"),
        *("--private-key", "private_key.pem", "--part-rows", "25", "--processes", "1"),
    ]
    full = subprocess.run(
        command,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert full.returncode == 2
    assert re.fullmatch(r"error: out\.csv\.keyfront\S* cannot be written: .*\n", full.stderr), full.stderr
    assert "File too large" in full.stderr
    monkeypatch.chdir(tmp_path)
    assert main([*command[1:], "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kept"] == (100 if limit > 10_000 else 0)
    assert [each["url"] for each in read_csv(tmp_path / "out.csv")] == urls


def test_a_key_that_stops_signing_ends_the_run_and_keeps_what_is_done(
    tmp_path: Path, write_csv: Write, key: SigningKey, read_csv: Read
) -> None:
    """As one in KMS does when its network goes."""

    class Elsewhere:
        algorithm, public_key, left = key.algorithm, key.public_key, 50

        def sign(self, data: bytes, hash_algorithm: Any) -> bytes:
            self.left -= 1
            if self.left < 0:
                raise ServiceError("KMS did not answer")
            return key.sign(data, hash_algorithm)

    urls = [f"{SITE}/{n}" for n in range(100)]
    source, out, elsewhere = write_csv(urls), tmp_path / "out.csv", Elsewhere()
    signer = Signer("K2JCJMDEHXQW5F", elsewhere)
    with pytest.raises(KeyfrontError, match="KMS did not answer"):
        sign_table(source, out, signer, TERMS, part_rows=5)
    elsewhere.left = 1000
    assert 5 <= sign_table(source, out, signer, TERMS).kept <= 45
    assert [each["url"] for each in read_csv(out)] == urls
