"""The benchmarks run, and their table holds what it should; how fast anything is, no test asks."""

import io
import json
import os
import re
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from tests.keys import shared_rsa

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))  # the benchmarks are run from the repository and installed nowhere

from benchmarks import contest, growth, log_plot, table  # noqa: E402
from benchmarks.__main__ import main  # noqa: E402
from benchmarks.contest import Aim, Peer, PeerError, Result, Row  # noqa: E402
from benchmarks.npm import PACKAGES  # noqa: E402
from benchmarks.plots import Plot, drawing  # noqa: E402

Rows = list[dict[str, Any]]


def told(*arguments: str, path: Path) -> str:
    """What the benchmarks print on a machine that has just the tools in `path`.

    As a program they run in `integrations/tables/test_benchmark.py`.
    """
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(printed), redirect_stderr(io.StringIO()):
        patch.setenv("PATH", str(path))
        assert main(["--seconds", "0.05", "--rounds", "1", *arguments]) == 0
    return printed.getvalue()


def rows_of(section: str, path: Path) -> Rows:
    rows: Rows = json.loads(told("--json", "--only", section, path=path))
    return rows


@pytest.fixture(scope="module")
def signing(need_tool: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Rows:
    path = tmp_path_factory.mktemp("bin")
    (path / "openssl").symlink_to(need_tool("openssl"))
    return rows_of("signing", path)


def test_every_signer_has_a_row_with_a_figure_and_a_ratio(signing: Rows) -> None:
    beside = [row for row in signing if row["section"].endswith("beside OpenSSL's own")]
    assert [row["against"] for row in beside] == ["openssl speed ecdsap256"] * 4
    here = [row for row in signing if row["missing"] is None and row not in beside]
    for row in here:
        assert row["figure"] > 0, row
        assert row["ratio"] > 0, row
        assert row["against"] == "raw cryptography"
    assert [row["name"] for row in here] == [
        *("raw cryptography", "keyfront sign_url, canned", "keyfront sign_url, custom", "keyfront sign_cookies"),
        *("botocore with cryptography", "botocore with rsa", "openssl speed rsa2048"),
        *("raw cryptography", "keyfront sign_url, canned", "keyfront sign_url, custom", "keyfront sign_cookies"),
        "openssl speed ecdsap256",
    ]
    assert [row["name"].startswith("keyfront") for row in here] == [row["met"] in (True, False) for row in here]


def test_a_peer_that_is_not_installed_has_a_row_that_says_so(signing: Rows, tmp_path: Path) -> None:
    missing = {row["name"]: row["missing"] for row in signing if row["missing"]}
    assert missing == dict.fromkeys(PACKAGES, "node is not installed")
    text = told("--only", "verification", "--only", "edge", path=tmp_path)
    assert re.search(r"openssl speed ecdsap256 +not here: openssl is not installed", text)
    assert re.search(r"all +not here: wrk is not installed", text)
    assert re.search(r"keyfront verify, cookies +[0-9,]+ /s of CPU +[0-9.]+ of raw cryptography", text)


def test_the_command_lines_start_is_measured(tmp_path: Path) -> None:
    text = told("--only", "cli", path=tmp_path)
    assert re.search(r"keyfront sign +[0-9.]+ s of CPU +aim <= 0.25: (met|missed)", text)
    assert re.search(r"the second over the first +[0-9.]+ ms of CPU +aim <= 60.00: (met|missed)", text)
    assert "not here" not in text


def test_what_is_for_many_urls_is_measured(tmp_path: Path) -> None:
    rows = rows_of("many", tmp_path)
    here = [row for row in rows if row["missing"] is None]
    assert all(row["figure"] > 0 for row in here)
    assert [row["name"] for row in here if row["aim"]] == [
        *("keyfront sign_url, canned", "keyfront sign_url, custom", "keyfront sign_cookies"),
        *("keyfront sign_many", "keyfront sign_many", "keyfront grant.url, a path"),
    ]
    missing = {row["name"]: row["missing"] for row in rows if row["missing"]}
    names = (f"{os.cpu_count()} x openssl speed rsa2048", "openssl speed rsa2048")
    assert missing == dict.fromkeys(names, "openssl is not installed")


def test_the_function_is_measured_on_lambdas_runtime_client(tmp_path: Path) -> None:
    rows = rows_of("lambda", tmp_path)
    missing = {row["name"]: row["missing"] for row in rows if row["missing"]}
    assert set(missing.values()) == {"node is not installed"}
    measured = [row for row in rows if not row["missing"]]
    assert all(row["figure"] > 0 for row in measured)
    first = {row["name"]: row for row in measured if row["section"].endswith("to first 303")}
    assert len(first) == 6
    assert [row["aim"] is not None for row in first.values()] == [False, True, False, False, False, False]


def test_peers_take_turns_and_one_with_long_turns_takes_fewer() -> None:
    order: list[str] = []

    def peer(name: str, turns: int | None = None) -> Peer:
        def run(seconds: float) -> float:
            order.append(name)
            return seconds

        return Peer(name, run, turns=turns)

    results = contest.race([peer("a"), peer("b"), peer("slow", turns=2)], seconds=1, rounds=4)
    warm_up, race = order[:2], order[2:]
    assert warm_up == ["a", "b"]
    assert race == ["a", "b", "slow", "b", "a", "a", "b", "slow", "b", "a"]
    assert [len(result.figures) for result in results] == [4, 4, 2]


def test_a_peer_that_does_not_work_is_left_out() -> None:
    def broken(seconds: float) -> float:
        raise PeerError("out of order")

    results = contest.race([Peer("a", broken), Peer("b", lambda seconds: 2.0)], seconds=1, rounds=3)
    shown = list(contest.rows("s", "/s", results, against="a"))
    assert shown == [Row("s", "a", "/s", missing="out of order"), Row("s", "b", "/s", 2.0)]


def test_a_figure_is_the_best_round_and_its_ratio_is_to_another_peers() -> None:
    results = [Result(Peer("raw"), [100.0, 400.0]), Result(Peer("ours"), [300.0, 200.0])]
    raw, ours = contest.rows("s", "/s", results, against="raw", aims={"ours": Aim(0.8)})
    assert (raw.figure, ours.figure, ours.ratio, ours.against) == (400.0, 300.0, 0.75, "raw")
    assert table.as_objects([ours])[0]["met"] is False


def test_work_is_counted_by_cpu_time() -> None:
    calls: list[int] = []
    assert contest.loop(lambda: calls.append(1))(0.01) > 0
    assert len(calls) > 10


def test_the_table_has_headings_columns_and_aims() -> None:
    told = table.as_text(
        [
            Row("First", "raw", "/s", 1234.5, "raw", 1.0),
            Row("First", "ours", "/s", 1200.0, "raw", 0.972, Aim(0.97)),
            Row("First", "theirs", "/s", missing="npm is not installed"),
            Row("Second", "start", "s", 0.2612, aim=Aim(0.25, "figure", at_most=True)),
        ]
    )
    assert told.splitlines() == [
        "First",
        "  raw    1,234 /s",
        "  ours   1,200 /s  0.97 of raw  aim >= 0.97: met",
        "  theirs  not here: npm is not installed",
        "",
        "Second",
        "  start   0.261 s               aim <= 0.25: missed",
    ]


@pytest.mark.parametrize("arguments", [["--seconds", "0"], ["--seconds", "x"], ["--rounds", "0"], ["--only", "all"]])
def test_arguments_that_make_no_sense_are_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_the_npm_packages_are_locked_to_contents_and_to_no_address() -> None:
    directory = ROOT / "benchmarks" / "node"
    wanted = json.loads((directory / "package.json").read_text())["dependencies"]
    locked = json.loads((directory / "package-lock.json").read_text())["packages"]
    assert set(wanted) > set(PACKAGES)
    for name, package in locked.items():
        assert "resolved" not in package
        assert name == "" or package["integrity"].startswith("sha512-")


def test_every_kind_of_growth_has_work_for_each_size() -> None:
    for title, unit, works in growth.kinds(shared_rsa()):
        assert list(works) == sorted(works), title
        assert unit
        for work in works.values():
            work()


def test_a_plot_begins_at_zero_and_shows_every_point() -> None:
    drawn = drawing([Plot("Straight", "keys", "µs", [(10, 1), (50, 5), (100, 10)]), Plot("Nothing", "keys", "µs", [])])
    image = ElementTree.fromstring(drawn)
    circles = [(float(each.attrib["cx"]), float(each.attrib["cy"])) for each in image.findall(".//{*}circle")]
    (first, second, third) = circles
    slope = (second[1] - first[1]) / (second[0] - first[0])
    assert (third[1] - second[1]) / (third[0] - second[0]) == pytest.approx(slope, abs=0.01)
    texts = [each.text for each in image.findall(".//{*}text")]
    assert {"Straight", "0", "100", "10", "not measured here"} <= set(texts)


def test_peers_that_read_several_numbers_of_rows_have_a_plot() -> None:
    told: list[dict[str, object]] = [
        {"name": "ours, 1,000 rows", "unit": "rows/s", "figure": 500.0},
        {"name": "ours, 2,000 rows", "unit": "rows/s", "figure": 400.0},
        {"name": "ours, 2,000 rows", "unit": "MB", "figure": 9.0},
        {"name": "theirs, 1,000 rows", "unit": "rows/s", "figure": 100.0},
        {"name": "theirs, 2,000 rows", "unit": "rows/s", "figure": None},
    ]
    assert log_plot.plots(told) == [Plot("ours", "thousands of rows", "seconds of CPU", [(1, 2.0), (2, 5.0)])]
