"""What the real service refuses is refused here, and Terraform shows the same error code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keyfront.core.keys import SigningKey


def test_terraform_shows_why_each_resource_is_refused(workspace: Callable[..., Any]) -> None:
    long = rsa.generate_private_key(65537, 4096).public_key()
    terraform = workspace(
        "refused",
        "refused",
        public_keys=[SigningKey.generate("ecdsa").public_key.pem for _ in range(6)],
        too_long=long.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
    )
    said = " ".join(terraform("apply", "-auto-approve", expect=1).split())
    for code in (
        "InvalidArgument",
        "TooManyPublicKeysInKeyGroup",
        "CachePolicyAlreadyExists",
        "TooManyKeyGroupsAssociatedToDistribution",
        "TrustedKeyGroupDoesNotExist",
        "CNAMEAlreadyExists",
    ):
        assert f"{code}: " in said, said
    assert said.count("Error: ") == 6
