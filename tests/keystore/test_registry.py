"""The kinds of key store: ours, one line each, and those that another package brings."""

import subprocess
import sys
from pathlib import Path

import pytest

from keyfront import SigningKey
from keyfront.errors import InputError
from keyfront.keystore import Address, Opening, SignerDocument, open_keystore, open_writable
from keyfront.keystore.registry import KINDS

ID = "K2JCJMDEHXQW5F"
VAULT = """
class Vault:
    stored = {}

    def __init__(self, name):
        self._key = name
        self.name = f"vault entry {name}"

    @classmethod
    def open(cls, name, opening):
        return cls(name)

    def read(self):
        with open(self._key, encoding="utf-8") as file:
            return file.read()

    def write(self, text):
        with open(self._key, "w", encoding="utf-8") as file:
            file.write(text)
"""


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_opens_what_its_example_names(kind: str) -> None:
    entry = KINDS[kind]
    source = Address.parse(str(entry)).open(Opening(ID))
    assert entry.example in source.name
    assert callable(source.read)


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_shows_each_kind(kind: str) -> None:
    page = (Path(__file__).parent.parent.parent / "docs" / "keystores.md").read_text("utf-8")
    assert f"| `{KINDS[kind]}` |" in page


def test_a_file_and_a_variable_are_opened_without_boto3_and_without_other_kinds() -> None:
    code = (
        "import sys; from keyfront.keystore import open_keystore; open_keystore('file:a', 'K1'); "
        "open_keystore('env:A', 'K1'); print([name for name in sys.modules if name.startswith(('boto', "
        "'importlib.metadata', 'keyfront.keystore.kms', 'keyfront.keystore.secretsmanager', 'keyfront.keystore.ssm'))])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on Python's path, as `pip install` would leave it."""
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def install(folder: Path, package: str, line: str, code: str = "") -> None:
    (folder / f"{package}.py").write_text(code)
    about = folder / f"{package}-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[keyfront.keystores]\n{line}\n")


def test_another_packages_kind_is_read_and_written_as_ours_are(installed: Path, ecdsa_key: SigningKey) -> None:
    install(installed, "acme_vault", "vault = acme_vault:Vault", VAULT)
    address = f"vault:{installed / 'entry'}"
    SignerDocument(ID, ecdsa_key).save(open_writable(address))
    assert open_keystore(address).name == f"vault entry {installed / 'entry'}"
    assert open_keystore(address).signer().key_pair_id == ID


def test_another_packages_kind_signs_on_the_command_line(
    installed: Path, ecdsa_key: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(installed, "acme_vault", "vault = acme_vault:Vault", VAULT)
    (installed / "entry").write_text(SignerDocument(ID, ecdsa_key).to_json())
    monkeypatch.setenv("PYTHONPATH", str(installed))
    words = ["sign", "https://d1.cloudfront.net/a", "--signer", f"vault:{installed / 'entry'}", "--expires", "1h"]
    seen = subprocess.run(
        [Path(sys.executable).with_name("keyfront"), *words], capture_output=True, text=True, check=False
    )
    assert (seen.returncode, seen.stderr) == (0, "")
    assert f"Key-Pair-Id={ID}" in seen.stdout


def test_no_package_can_replace_one_of_our_kinds(installed: Path) -> None:
    install(installed, "acme_files", "file = acme_files:Vault", VAULT)
    assert type(Address.parse("file:a").open(Opening())).__module__ == "keyfront.keystore.file"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            ["vault = acme_0:Vault", "vault = acme_1:Vault"],
            "by acme_0:Vault and by acme_1:Vault: uninstall all but one",
        ),
        (["vault = acme_0:Nothing"], "vault: addresses cannot be opened .*no attribute 'Nothing'"),
        (["vault = gone:Vault"], "vault: addresses cannot be opened .*No module named 'gone'"),
    ],
)
def test_packages_that_cannot_be_used_are_named(installed: Path, lines: list[str], said: str) -> None:
    for number, line in enumerate(lines):
        install(installed, f"acme_{number}", line, VAULT)
    with pytest.raises(InputError, match=said):
        open_keystore("vault:a")
