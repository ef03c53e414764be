"""`KeyStore`: the current signer, parsed once, and what it does while SSM fails."""

import asyncio
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.waiting import wait_until

from keyfront.core.keys import SigningKey
from keyfront.core.verification import ViewerRequest, verify
from keyfront.errors import InputError, KeyLoadError, ServiceError
from keyfront.keystore import KeyFile, KeyStore, SignerDocument, Source, SSMParameter

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient
    from tests.keystore.conftest import Clock

URL = "https://d111111abcdef8.cloudfront.net/a.pdf"


class Notes:
    """A source in memory, of our own making: a source has a name and one method."""

    name = "the notes"

    def __init__(self, text: str) -> None:
        self.text = text
        self.failure: ServiceError | None = None

    def read(self) -> str:
        if self.failure:
            raise self.failure
        return self.text


def warnings(log: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in log.records if record.name.startswith("keyfront.")]


def renewed(store: KeyStore, log: pytest.LogCaptureFixture) -> None:
    """Ask until the background fetch has brought something or failed."""
    before, first = len(warnings(log)), store.signer()
    wait_until(lambda: len(warnings(log)) > before or store.signer() is not first)


def test_a_pem_in_ssm_signs_urls_that_verify(ssm: "SSMClient", rsa_key: SigningKey) -> None:
    ssm.put_parameter(Name="/store/pem", Type="SecureString", Value=rsa_key.pem())
    signer = KeyStore(SSMParameter("/store/pem", ssm), "KPEM", now=lambda: 1_900_000_000).signer()
    url = signer.sign_url(URL, expires=1_900_000_060)
    assert verify(ViewerRequest(url), {"KPEM": rsa_key.public_key}, now=1_900_000_000).allowed


def test_a_json_document_in_ssm_signs_urls_that_verify(ssm: "SSMClient", ecdsa_key: SigningKey) -> None:
    document = SignerDocument("KJSON", ecdsa_key, "SHA256")
    ssm.put_parameter(Name="/store/json", Type="SecureString", Value=document.to_json())
    signer = KeyStore(SSMParameter("/store/json", ssm), now=lambda: 1_900_000_000).signer()
    url = signer.sign_url(URL, expires=1_900_000_060)
    assert "Hash-Algorithm=SHA256" in url
    assert verify(ViewerRequest(url), {"KJSON": ecdsa_key.public_key}, now=1_900_000_000).allowed


def test_a_key_file_is_a_source_too(tmp_path: Path, rsa_key: SigningKey) -> None:
    private, _ = rsa_key.write(tmp_path)
    assert KeyStore(KeyFile(private), "KFILE").signer().key_pair_id == "KFILE"


def test_coroutines_get_the_same_signer(rsa_key: SigningKey) -> None:
    store = KeyStore(Notes(rsa_key.pem()), "KONE")

    async def scenario() -> None:
        signers = await asyncio.gather(*(store.signer_async() for _ in range(10)))
        assert set(map(id, signers)) == {id(store.signer())}

    asyncio.run(scenario())


def test_the_same_text_fetched_again_keeps_the_parsed_key(rsa_key: SigningKey, clock: "Clock") -> None:
    source = Notes(rsa_key.pem())
    store = KeyStore(source, "KONE", ttl=60, clock=clock)
    first = store.signer()
    clock.pass_by(600)
    assert store.signer() is first


def test_a_changed_document_changes_id_and_key_together(
    ssm: "SSMClient", rsa_key: SigningKey, ecdsa_key: SigningKey, clock: "Clock", caplog: pytest.LogCaptureFixture
) -> None:
    def put(document: SignerDocument) -> None:
        ssm.put_parameter(Name="/store/rotated", Type="SecureString", Value=document.to_json(), Overwrite=True)

    put(SignerDocument("KOLD", rsa_key))
    store = KeyStore(SSMParameter("/store/rotated", ssm), ttl=60, clock=clock)
    assert store.signer().key_pair_id == "KOLD"
    put(SignerDocument("KNEW", ecdsa_key))
    assert store.signer().key_pair_id == "KOLD"
    clock.pass_by(61)
    renewed(store, caplog)
    signer = store.signer()
    assert (signer.key_pair_id, signer.key.public_key) == ("KNEW", ecdsa_key.public_key)


def test_the_last_good_key_signs_while_ssm_fails(
    ssm: "SSMClient", rsa_key: SigningKey, clock: "Clock", caplog: pytest.LogCaptureFixture
) -> None:
    ssm.put_parameter(Name="/store/vanishing", Type="SecureString", Value=rsa_key.pem())
    store = KeyStore(SSMParameter("/store/vanishing", ssm), "KONE", ttl=60, clock=clock)
    signer = store.signer()
    ssm.delete_parameter(Name="/store/vanishing")
    clock.pass_by(61)
    renewed(store, caplog)
    assert store.signer() is signer
    assert "SSM parameter /store/vanishing was not renewed; serving the last good value" in caplog.text
    assert "ParameterNotFound" in caplog.text


def test_garbage_written_over_the_key_leaves_the_last_good_one_signing(
    rsa_key: SigningKey, clock: "Clock", caplog: pytest.LogCaptureFixture
) -> None:
    source = Notes(rsa_key.pem())
    store = KeyStore(source, "KONE", ttl=60, clock=clock)
    signer = store.signer()
    source.text = "MARKERsecretMARKER"
    clock.pass_by(61)
    renewed(store, caplog)
    assert store.signer() is signer
    assert "holds no usable private key" in caplog.text
    assert "MARKER" not in caplog.text


@pytest.mark.parametrize("key_pair_id", ["AKIAIOSFODNN7EXAMPLE", "undefined"])
def test_an_id_that_is_none_is_refused_before_anything_is_signed(key_pair_id: str, rsa_key: SigningKey) -> None:
    with pytest.raises(InputError, match=r"the key-pair id \(KEYPAIR_ID\) is"):
        KeyStore(Notes(rsa_key.pem()), key_pair_id).signer()


def test_no_secret_is_in_any_log_line_error_or_repr(
    ssm: "SSMClient", rsa_key: SigningKey, clock: "Clock", caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    lines = rsa_key.pem().splitlines()[1:-1]
    broken = {
        "truncated": rsa_key.pem()[:-200],
        "json": json.dumps({"key_pair_id": "KONE", "private_key": rsa_key.pem(), "extra": 1}),
        "cut": SignerDocument("KONE", rsa_key).to_json()[:-40],
    }
    ssm.put_parameter(Name="/store/quiet", Type="SecureString", Value=rsa_key.pem())
    caplog.clear()
    source: Source = SSMParameter("/store/quiet", ssm)
    store = KeyStore(source, "KONE", ttl=60, clock=clock)
    shown = [repr(store), repr(store.signer()), repr(source)]
    for text in broken.values():
        with pytest.raises(KeyLoadError) as caught:
            KeyStore(Notes(text), "KONE", clock=clock).signer()
        shown += [str(caught.value), repr(caught.value)]
    everything = "\n".join([*shown, caplog.text])
    assert "Response body" not in caplog.text
    assert not [line for line in lines if line in everything]
