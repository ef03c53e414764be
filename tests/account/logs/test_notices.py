"""Each planted case is found, and an ordinary day has nothing to find."""

from pathlib import Path

from tests.account.logs.days import CASES, NOON, Log, account, clean_day

from keyfront.account.logs.analysis import Options, read_logs


def found(log: Log, folder: Path, *, known: bool = True) -> set[str]:
    log.write(folder)
    with read_logs(
        [str(folder)], "summary", Options(), now=NOON + 86400, account=account() if known else None
    ) as logs:  # fmt: skip
        return {each.id for each in logs.notices}


def test_nothing_on_a_clean_day(tmp_path: Path) -> None:
    log = Log()
    clean_day(log)
    assert found(log, tmp_path / "known") == set()
    assert found(log, tmp_path / "unknown", known=False) == set()


def test_all_planted_cases_in_an_ordinary_day(tmp_path: Path) -> None:
    log = Log()
    clean_day(log)
    for plant, _ in CASES:
        plant(log)
    assert found(log, tmp_path) == {notice for _, notice in CASES}
