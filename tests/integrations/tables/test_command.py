"""`keyfront sign-table`: what it says, and how it ends. `test_resuming.py` stops it."""

import json
import os
import pty
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from keyfront import SigningKey
from keyfront.cli import main

SITE = "https://d111111abcdef8.cloudfront.net"
COMMAND = [str(Path(sys.executable).with_name("keyfront")), "sign-table"]
WHO = ["--key-id", "K2JCJMDEHXQW5F", "--private-key", "private_key.pem"]
Read = Callable[[Path], list[dict[str, str]]]
Write = Callable[..., Path]


@dataclass(frozen=True)
class Done:
    """What a command gave, as `subprocess` names it."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Runs the command in this process, in the test's folder."""
    monkeypatch.chdir(tmp_path)

    def ran(*arguments: str) -> Done:
        status = main(["sign-table", *arguments])
        return Done(status, *capsys.readouterr())

    return ran


def test_it_says_what_became_of_the_rows_and_ends_with_1_when_some_were_not_signed(
    tmp_path: Path, run: Callable[..., Done], write_csv: Write, read_csv: Read, key: SigningKey
) -> None:
    key.write(tmp_path)
    write_csv([f"{SITE}/1", "no", "http://d111111abcdef8.cloudfront.net/2"])
    done = run("links.csv", "out.csv", "--url-column", "url", "--expires", "1h", *WHO)
    assert (done.returncode, done.stdout) == (1, "")
    warned, *said = done.stderr.splitlines()
    assert warned.endswith("[protocol-differs]")
    assert said == ["2 rows signed into out.csv", "1 rows could not be signed: see out.csv.rejects.csv"]
    again = run("links.csv", "out.csv", "--url-column", "url", "--expires", "1h", *WHO, "--json")
    assert again.returncode == 2
    assert json.loads(again.stderr) == {"error": "out.csv already exists: --force replaces it"}
    forced = run(
        *("links.csv", "out.csv", "--url-column", "url", "--signed-column", "url", "--force", "--json"),
        *("--signer", "file:private_key.pem", "--key-id", "K2JCJMDEHXQW5F", "--reject", "bad.tsv"),
        *("--expires", "2w", "--max-lifetime", "2w", "--ip", "192.0.2.0/24", "--resource", f"{SITE}/*"),
    )
    assert forced.returncode == 1, forced.stderr
    told = json.loads(forced.stdout)
    assert (told["signed"], told["rejected"], told["reject"], told["kept"]) == (1, 2, "bad.tsv", 0)
    assert [each["finding"] for each in told["warnings"]] == ["resource-covers-host"]
    assert list(read_csv(tmp_path / "out.csv")[0]) == ["url"]
    assert (tmp_path / "bad.tsv").read_text().splitlines()[1].startswith("2\tno\t'no' has no scheme")


def test_a_long_life_is_warned_of_once_however_many_rows_have_it(
    tmp_path: Path, run: Callable[..., Done], write_csv: Write, key: SigningKey
) -> None:
    key.write(tmp_path)
    write_csv([f"{SITE}/{number}" for number in range(20)])
    long = ("links.csv", "out.csv", "--url-column", "url", *WHO, "--expires", "30d")
    done = run(*long)
    warned, said = done.stderr.splitlines()
    assert (done.returncode, said) == (0, "20 rows signed into out.csv")
    assert warned.startswith("warning: this lives for 30 days, and a signature cannot be taken back")
    assert warned.endswith("[long-lived] (20 times, this is the first)")
    meant = run(*long, "--force", "--max-lifetime", "30d")
    assert meant.stderr == "20 rows signed into out.csv\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["out.csv", "--url-column", "url", *WHO], "there is no expiry: give expires (--expires)"),
        (["out.csv", "--url-column", "link", "--expires", "1h", *WHO], "there is no column 'link'"),
        (["out.xls", "--url-column", "url", "--expires", "1h", *WHO], "the name out.xls does not show its format"),
        (
            ["out.csv", "--url-column", "url", "--expires", "30d", "--max-lifetime", "7d", *WHO],
            "this would live for 30 days",
        ),
        (["out.csv", "--url-column", "url", "--expires", "1h"], "give either --private-key FILE"),
        (["none/out.csv", "--url-column", "url", "--expires", "1h", *WHO], "there is no folder none"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(
    arguments: list[str],
    told: str,
    tmp_path: Path,
    write_csv: Write,
    key: SigningKey,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    key.write(tmp_path)
    write_csv([f"{SITE}/1"])
    monkeypatch.chdir(tmp_path)
    assert main(["sign-table", "links.csv", *arguments]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: {told}")
    assert said.count("\n") == 1
    assert {each.name for each in tmp_path.iterdir()} == {"links.csv", "private_key.pem", "public_key.pem"}


def test_a_bar_is_drawn_on_a_terminal(tmp_path: Path, write_csv: Write, key: SigningKey) -> None:
    key.write(tmp_path)
    write_csv([f"{SITE}/{n}" for n in range(200)])
    terminal, its_end = pty.openpty()
    drawn: list[bytes] = []

    def read() -> None:
        try:
            while piece := os.read(terminal, 4096):
                drawn.append(piece)
        except OSError:  # its other end is closed
            pass

    reader = threading.Thread(target=read)
    reader.start()
    arguments = ["links.csv", "out.csv", "--url-column", "url", "--expires", "1h", "--part-rows", "50", *WHO]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    done = subprocess.run([*COMMAND, *arguments], cwd=tmp_path, stderr=its_end, env=environment, timeout=60)
    os.close(its_end)
    reader.join()
    os.close(terminal)
    assert done.returncode == 0
    shown = b"".join(drawn).decode()
    assert "signing" in shown
    assert "200/200" in shown
    assert shown.rstrip().endswith("200 rows signed into out.csv")
