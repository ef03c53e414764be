"""The rotation function's own package, called by Secrets Manager on the laptop as on Amazon."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.servers import Quiet, http_server

from keyfront.core.keys import PublicKey, SigningKey
from keyfront.core.verification import ViewerRequest, verify
from keyfront.keystore import SignerDocument
from keyfront.local.controlplane import ControlPlane
from keyfront.local.controlplane.asgi import application
from keyfront.packaging import FUNCTIONS, Plan, build

if TYPE_CHECKING:
    from tests.local.aws.conftest import Running

PYTHON = ".".join(platform.python_version_tuple()[:2])


@pytest.fixture
def account(start_endpoint: Callable[..., Running], endpoint: Any) -> Running:
    """An empty one, with a CloudFront."""
    return start_endpoint(control_plane=application(ControlPlane()))


@pytest.fixture
def edge(account: Running) -> Iterator[str]:
    """The address of what lets in whatever a key of the group has signed."""
    cloudfront = account.client("cloudfront")

    class Judge(Quiet):
        def do_GET(self) -> None:
            keys = {}
            for each in cloudfront.list_key_groups()["KeyGroupList"]["Items"]:
                for key in each["KeyGroup"]["KeyGroupConfig"]["Items"]:
                    config = cloudfront.get_public_key_config(Id=key)["PublicKeyConfig"]
                    keys[key] = PublicKey.load(config["EncodedKey"])
            url = f"http://{self.headers['Host']}{self.path}"
            self.answer(200 if verify(ViewerRequest(url), keys, time.time()).allowed else 403)

    with http_server(Judge) as port:
        yield f"http://127.0.0.1:{port}/probe"


def test_secrets_manager_calls_the_package_and_the_secret_names_a_key_that_is_trusted(
    account: Running, edge: str, tmp_path: Path
) -> None:
    cloudfront, manager = account.client("cloudfront"), account.client("secretsmanager")
    functions = account.client("lambda")
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = account.client("iam").create_role(RoleName="rotates", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    key = SigningKey.generate("ecdsa")
    config = {"CallerReference": "1", "Name": "shop", "EncodedKey": key.public_key.pem}
    old = cloudfront.create_public_key(PublicKeyConfig=config)["PublicKey"]["Id"]
    cloudfront.create_key_group(KeyGroupConfig={"Name": "shop-signers", "Items": [old]})
    manager.create_secret(Name="shop/key", SecretString=SignerDocument(old, key, "SHA256").to_json())
    built = build(Plan(python=PYTHON, function="rotation"), tmp_path / "rotation.zip")
    settings = {"KEY_GROUP": "shop-signers", "PROPAGATION_SECONDS": "0", "PROBES": "2", "PROBE_URL": edge}
    made = functions.create_function(
        FunctionName="rotate",
        Runtime=f"python{PYTHON}",
        Role=role,
        Handler=FUNCTIONS["rotation"],
        Code={"ZipFile": built.path.read_bytes()},
        Timeout=60,
        MemorySize=512,
        Environment={"Variables": {**settings, "GRACE_SECONDS": "0", "SIGNER_TTL_SECONDS": "0"}},
    )
    manager.rotate_secret(
        SecretId="shop/key", RotationLambdaARN=made["FunctionArn"], RotationRules={"AutomaticallyAfterDays": 90}
    )
    text = manager.get_secret_value(SecretId="shop/key")["SecretString"]
    new = SignerDocument.parse(text, source="the secret")
    assert (new.hash_algorithm, new.version) == ("SHA256", 1)
    (group,) = cloudfront.list_key_groups()["KeyGroupList"]["Items"]
    assert group["KeyGroup"]["KeyGroupConfig"]["Items"] == [old, new.key_pair_id]
    payload = json.dumps({"Step": "retire", "SecretId": "shop/key"})
    said = json.loads(functions.invoke(FunctionName="rotate", Payload=payload)["Payload"].read())
    assert said == {"retired": [old]}
    assert [each["Id"] for each in cloudfront.list_public_keys()["PublicKeyList"]["Items"]] == [new.key_pair_id]
