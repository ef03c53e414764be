"""The modules, with the real Terraform and the real AWS provider: their own tests, and what these cannot look at."""

from __future__ import annotations

import json
import re
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.terraform.modules.conftest import OWN

from keyfront.core.keys import SigningKey

ROOT = Path(__file__).parents[3] / "terraform"
NO_CHANGES = "No changes. Your infrastructure matches the configuration."


def test_terraform_files_are_formatted(terraform_program: Path) -> None:
    command = [str(terraform_program), "fmt", "-check", "-recursive", "-diff", str(ROOT)]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout


def test_two_texts_of_a_key_plan_nothing_and_swapped_keys_are_one_apply(
    modules: dict[str, Any], client: Callable[[str], Any], module_tests: object
) -> None:
    terraform, cloudfront = modules["trusted-key-group"], client("cloudfront")
    a, b = (SigningKey.generate(kind).public_key.pem for kind in ("rsa", "ecdsa"))
    given = terraform.folder / "keys.auto.tfvars.json"

    def give(**keys: str) -> None:
        given.write_text(json.dumps({"name": "swapped", "current": "a", "keys": keys}))

    def in_the_account() -> dict[str, str]:
        """The keys that CloudFront has under our prefix, by comment, which is the name."""
        found = cloudfront.list_public_keys()["PublicKeyList"].get("Items", [])
        return {key["Comment"]: key["EncodedKey"] for key in found if key["Name"].startswith("swapped-")}

    try:
        give(a=a, b=b)
        terraform("apply", "-auto-approve")
        assert in_the_account() == {"a": a, "b": b}
        give(a=a.replace("\n", "\r\n"), b=f"\n  {b.strip()}")
        assert NO_CHANGES in terraform("plan", "-detailed-exitcode")
        give(a=b, b=a)
        assert "Resources: 2 added, 1 changed, 2 destroyed" in terraform("apply", "-auto-approve")
        assert in_the_account() == {"a": b, "b": a}
        assert NO_CHANGES in terraform("plan", "-detailed-exitcode")
        terraform("destroy", "-auto-approve")
        assert in_the_account() == {}
    finally:
        given.unlink()


def test_a_private_key_pasted_for_a_public_one_is_refused_and_not_shown(
    modules: dict[str, Any], tmp_path: Path, module_tests: object
) -> None:
    key = SigningKey.generate("ecdsa").pem()
    wrong = {
        "trusted-key-group": {"name": "pasted", "keys": {"a": key}},
        "signing-key": {"name": "pasted", "kind": "parameter", "public_key_pem": key},
    }
    for name, variables in wrong.items():
        file = tmp_path / f"{name}.tfvars.json"
        file.write_text(json.dumps(variables))
        said = modules[name]("plan", f"-var-file={file}", expect=1)
        assert "holds a private key" in " ".join(re.sub("[│╷╵]", " ", said).split())
        assert not _shows(key, said)


def test_the_private_key_is_in_the_parameter_and_never_in_state_or_plan(
    secret: Any, client: Callable[[str], Any], module_tests: object
) -> None:
    ssm, written, outside = client("ssm"), SigningKey.generate("rsa"), SigningKey.generate("ecdsa")

    def value() -> str:
        got = ssm.get_parameter(Name="/secret/signing-key", WithDecryption=True)["Parameter"]["Value"]
        return str(got)

    def give(**variables: object) -> None:
        (secret.folder / "given.auto.tfvars.json").write_text(json.dumps(variables))

    public = written.public_key.pem
    give(public_key=public, private_key_version=1, team="one")
    assert "private_key is not given" in " ".join(secret("plan", expect=1).split())
    secret("plan", "-out=first.plan", private_key=written.pem())
    secret("apply", "first.plan", private_key=written.pem())
    document = {"key_pair_id": "K2JCJMDEHXQW5F", "private_key": written.pem(), "hash_algorithm": "SHA1"}
    assert json.loads(value()) == document
    assert not any(_shows(written.pem(), text) for text in _all_texts(secret.folder))

    # Somebody puts another key in, and the next apply writes what it found into the state.
    ssm.put_parameter(Name="/secret/signing-key", Value=outside.pem(), Type="SecureString", Overwrite=True)
    give(public_key=public, private_key_version=1, team="two")
    secret("plan", "-out=second.plan", private_key=written.pem())
    secret("apply", "second.plan", private_key=written.pem())
    assert value() == outside.pem()
    texts = _all_texts(secret.folder)
    assert any('"team": "two"' in text for text in texts), "the state was written after the key was put in"
    assert not any(_shows(key.pem(), text) for key in (written, outside) for text in texts)

    secret("destroy", "-auto-approve")


@pytest.mark.parametrize("name", OWN)
def test_each_module_passes_its_own_tests(module_tests: dict[str, subprocess.Popen[str]], name: str) -> None:
    said, _ = module_tests[name].communicate(timeout=5 * 60)
    assert module_tests[name].returncode == 0, said
    assert re.search(r"Success! [1-9][0-9]* passed, 0 failed\.", said), said


def _shows(pem: str, text: str) -> bool:
    """Whether a text has any line of a key's body."""
    return any(line in text for line in pem.splitlines()[1:-1])


def _all_texts(folder: Path) -> list[str]:
    """Everything that Terraform left in a folder, plan files unpacked."""
    texts = []
    for file in folder.iterdir():
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as plan:
                texts += [plan.read(name).decode("latin-1") for name in plan.namelist()]
        elif file.is_file():
            texts.append(file.read_text())
    return texts
