"""What every room's tests share: the two tiers, programs that may be missing, browsers, Terraform, and keys.

A test is `large` if one of these holds: it is marked so, its file is among `_LARGE`, or a fixture that it uses
needs a large program. `make test` leaves large tests out, and does not even import files that have no others.
"""

import gc
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import botocore.session
import pytest
from _pytest.unraisableexception import gc_collect_iterations_key
from botocore.loaders import Loader
from hypothesis import settings
from tests import examples as _profiles  # noqa: F401
from tests import needs
from tests.disks import small_disk  # noqa: F401 (a fixture of all tests)

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_HERE: Final = Path(__file__).parent

_LARGE: Final = (
    "account/audit/test_account.py",
    "account/logs/test_reading.py",
    "account/rotation/test_proof.py",
    "account/rotation/test_rotation.py",
    "account/rotation/test_secrets_manager.py",
    "backend/aws_lambda/test_package.py",
    "backend/test_ends.py",
    "backend/test_hanging.py",
    "cli/test_account.py",
    "cli/test_authz.py",
    "cli/test_explain_hides.py",
    "cli/test_full_disk.py",
    "cli/test_logs.py",
    "core/test_tampering.py",
    "edge/authz/test_nginx.py",
    "edge/functions/test_phases.py",
    "edge/functions/test_results.py",
    "edge/test_disk.py",
    "edge/test_fuzz.py",
    "edge/test_locations.py",
    "edge/test_process.py",
    "edge/test_server.py",
    "edge/test_slow.py",
    "integrations/streams/test_playing.py",
    "integrations/tables/test_benchmark.py",
    "integrations/tables/test_command.py",
    "integrations/tables/test_resuming.py",
    "integrations/test_django.py",
    "integrations/test_edge.py",
    "integrations/test_objects.py",
    "integrations/test_types.py",
    "keystore/test_checking.py",
    "keystore/test_kms.py",
    "local/aws/",
    "local/cloudformation/",
    "local/conformance/test_moto.py",
    "local/conformance/test_table.py",
    "local/shop/test_browser.py",
    "local/shop/test_storefront.py",
    "local/test_edge_alone.py",
    "local/up/",
    "terraform/examples/test_examples.py",
    "terraform/test_everything.py",
    "terraform/test_module_pages.py",
    "terraform/test_refusals.py",
    "test_benchmarks.py",
    "test_docs.py",
    "test_examples.py",
    "test_spark.py",
    "testing/test_plugin.py",
)
"""Every test in these files and folders is large: most start moto, a server or a browser for many tests."""

_LARGE_FIXTURES: Final = frozenset(
    {"aws", "built", "chromium", "epubcheck", "ffmpeg", "java", "npm", "postgresql", "terraform_program"}
)
"""They give programs that take long to start or to run, and `built` a Lambda package, whose wheels pip downloads.

All that uses one of these fixtures is large.
"""

_LONG: Final = (
    "terraform/examples",
    "account/rotation/test_proof",
    "terraform",
    "local/up",
    "account/audit",
    "integrations/streams",
    "local/aws",
    "test_benchmarks",
    "test_spark",
    "account/rotation",
    "integrations/tables",
    "backend/aws_lambda",
    "local/conformance",
    "integrations",
)
"""What takes longest, or waits most, comes first: begun last, it would run alone at the end."""


@cache
def _place(path: Path) -> str:
    return path.relative_to(_HERE).as_posix() if path.is_relative_to(_HERE) else ""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out files that have large tests only, where large tests are not wanted."""
    without_large = config.option.markexpr == "not large"
    return True if without_large and _place(collection_path).startswith(_LARGE) else None


def pytest_configure(config: pytest.Config) -> None:
    """Try properties with few examples where large tests are not wanted, unless a profile is named.

    Each worker imports all tests. What it finds stays, so that the garbage collector need not look at it: that is a
    quarter of the time. pytest collects five times at the end, of which one finds what the others do.
    """
    gc.disable()
    config.stash[gc_collect_iterations_key] = 1
    if config.option.markexpr == "not large" and not config.getoption("--hypothesis-profile"):
        settings.load_profile("light")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a long value, such as a key, by its argument: a key is another one in each worker."""
    return argname if isinstance(val, str | bytes) and len(val) > 80 else None


def pytest_collection_finish() -> None:
    """From here on there may be garbage."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the large tests, and let the longest files begin first; the order within each stays."""
    for item in items:
        if _is_large(item):
            item.add_marker("large")
    items.sort(key=_rank)


def _is_large(item: pytest.Item) -> bool:
    fixtures = getattr(item, "fixturenames", ())
    return _place(item.path).startswith(_LARGE) or not _LARGE_FIXTURES.isdisjoint(fixtures)


def _rank(item: pytest.Item) -> int:
    place = _place(item.path)
    return next((rank for rank, start in enumerate(_LONG) if place.startswith(start)), len(_LONG))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List what did not run here, and why."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(_reason(report) for report in skipped if isinstance(report, pytest.TestReport))
    if reasons:
        terminalreporter.section("not run here, and why")
        for reason, number in sorted(reasons.items()):
            terminalreporter.write_line(f"{number:5} {'tests' if number > 1 else 'test '}  {reason}")


def _reason(report: pytest.TestReport) -> str:
    told = report.longrepr
    return told[2].removeprefix("Skipped: ") if isinstance(told, tuple) else str(told)


@pytest.fixture(scope="session", autouse=True)
def _models_are_read_once() -> Iterator[None]:
    """Let botocore's sessions share the models that they read: most tests have a session of their own."""
    make, shared = botocore.session.create_loader, dict[str | None, dict[Any, Any]]()

    def create_loader(path: str | None = None) -> Loader:
        loader = make(path)
        vars(loader)["_cache"] = shared.setdefault(path, {})
        return loader

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.session.create_loader", create_loader)
        yield


@pytest.fixture(scope="session")
def need_tool() -> Callable[[str], Path]:
    """The path of a program; where it is missing the test skips, and fails in CI. Large programs have fixtures."""

    def need(tool: str) -> Path:
        return needs.program(tool)

    return need


@pytest.fixture(scope="session")
def workers(tmp_path_factory: pytest.TempPathFactory) -> needs.Workers:
    """What the workers of this run share."""
    return needs.Workers(tmp_path_factory)


@pytest.fixture(scope="session")
def epubcheck() -> Path:
    return needs.program("epubcheck")


@pytest.fixture(scope="session")
def ffmpeg() -> Path:
    return needs.program("ffmpeg")


@pytest.fixture(scope="session")
def java() -> Path:
    return needs.program("java")


@pytest.fixture(scope="session")
def npm() -> Callable[[Path, Path], None]:
    """Installs into a folder what its lock file names, unless a path in it exists: `npm(folder, path)`."""
    needs.program("node")
    needs.program("npm")
    return needs.npm_ci


@pytest.fixture(scope="session")
def postgresql() -> Path:
    """The folder of PostgreSQL's programs."""
    return needs.program("initdb").parent


@pytest.fixture(scope="session")
def terraform_program() -> Path:
    return needs.program("terraform")


@pytest.fixture(scope="session")
def terraform_init(
    terraform_program: Path, workers: needs.Workers, tmp_path_factory: pytest.TempPathFactory
) -> list[str]:
    """`terraform init` with the options that find the AWS provider here. Without the provider the test skips."""
    return ["init", *needs.terraform_init_options(terraform_program, workers, tmp_path_factory.mktemp("provider"))]


@pytest.fixture(scope="session")
def chromium() -> Path:
    return needs.program("chromium")


@pytest.fixture(scope="module")
def browser(chromium: Path) -> "Iterator[Browser]":
    """The real Chromium, without a window and without requests of its own. `*.test` is this machine."""
    from playwright.sync_api import sync_playwright

    quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
    quiet += ["--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP *.test 127.0.0.1"]
    # What keyfront answers does not depend on them, and each site of a page would be a process.
    quiet += ["--disable-site-isolation-trials", "--disable-software-rasterizer"]
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=quiet)
        yield launched
        launched.close()
