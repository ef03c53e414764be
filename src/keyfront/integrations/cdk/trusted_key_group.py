"""A trusted key group whose keys can be added, replaced and removed, each in one deployment.

CloudFront never changes the bytes of a key, and CloudFormation cannot replace one (aws-cdk, issue 15301). Here the
logical id of a key follows its bytes. So other bytes are another resource: CloudFormation creates it, puts it into the
group, and deletes the old key at the end.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Final

from aws_cdk import Names, Stack, Token
from aws_cdk import aws_cloudfront as cloudfront
from constructs import Construct

from keyfront.core.keys import PublicKey
from keyfront.errors import InputError, KeyLoadError
from keyfront.integrations.cdk.kms_public_key import KMSPublicKey
from keyfront.integrations.cdk.names import check_short

_MOST_KEYS: Final = 5
_DIGEST: Final = 12
_LONGEST_PREFIX: Final = 40


class TrustedKeyGroup(Construct):  # type: ignore[misc]
    """A key group with its public keys."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002  the CDK's name
        *,
        keys: Mapping[str, str] | None = None,
        kms_keys: Mapping[str, str] | None = None,
        current: str | None = None,
        name: str | None = None,
        comment: str | None = None,
    ) -> None:
        """Create the group.

        - `keys` are public keys as PEM, by names of your choice. Line ends and white space do not matter.
        - `kms_keys` are ARNs of signing keys in KMS, by names of your choice. A function reads their public halves.
        - `current` is the name of the key that signers use now. With one key it may be left out.
        - `name` is the group's name in CloudFront, 1 to 40 letters, digits, `-` and `_`. If not given, the stack and
          the construct's path make one.

        Raises `InputError` for anything that CloudFront would refuse, and for a private key, which it does not show.
        """
        super().__init__(scope, id)
        given, in_kms = dict(keys or {}), dict(kms_keys or {})
        self._check(given, in_kms, current)
        self._prefix = name or Names.unique_resource_name(self, max_length=_LONGEST_PREFIX, separator="-")
        check_short(self._prefix, "name")
        pems = {each: _pem(each, text) for each, text in given.items()}
        made = {each: self._key(each, pem, pem) for each, pem in pems.items()}
        for each, arn in in_kms.items():
            # An ARN of this app is a token. In the template it names the key's logical id, which stays with the key.
            identity = json.dumps(Stack.of(self).resolve(arn), sort_keys=True)
            public = KMSPublicKey(self, f"Public-{each}-{_digest(identity)}", key_arn=arn)
            made[each] = self._key(each, public.pem, identity)
            pems[each] = public.pem
        group = cloudfront.CfnKeyGroup(
            self,
            "Group",
            key_group_config=cloudfront.CfnKeyGroup.KeyGroupConfigProperty(
                name=self._prefix, items=[key.ref for key in made.values()], comment=comment
            ),
        )
        self.key_group_id: str = group.ref
        """The group's id, for `TrustedKeyGroups` of a cache behavior."""
        self.key_group: cloudfront.IKeyGroup = cloudfront.KeyGroup.from_key_group_id(self, "Imported", group.ref)
        """The group, for the CDK's own distributions."""
        self.key_ids: dict[str, str] = {each: key.ref for each, key in made.items()}
        """The keys' ids in CloudFront (`K…`), by name."""
        self.current_key_name: str = current or next(iter(made))
        self.current_key_id: str = self.key_ids[self.current_key_name]
        """The id of the key that signers use."""
        self.public_keys: dict[str, str] = pems
        """The public keys as PEM, by name."""

    def _key(self, name: str, pem: str, identity: str) -> cloudfront.CfnPublicKey:
        unique = f"{name}-{_digest(identity)}"
        # Names and caller references are unique in CloudFront: with the digest, a key never blocks its successor.
        config = cloudfront.CfnPublicKey.PublicKeyConfigProperty(
            name=f"{self._prefix}-{unique}",
            caller_reference=f"{self._prefix}-{unique}",
            encoded_key=pem,
            comment=name,
        )
        return cloudfront.CfnPublicKey(self, f"Key-{unique}", public_key_config=config)

    def _check(self, keys: Mapping[str, str], kms_keys: Mapping[str, str], current: str | None) -> None:
        names = [*keys, *kms_keys]
        for name in names:
            check_short(name, "the name of a key")
        if both := sorted(keys.keys() & kms_keys.keys()):
            raise InputError(f"keys and kms_keys share a name: {', '.join(both)}. Each name must belong to one key")
        if not 1 <= len(names) <= _MOST_KEYS:
            raise InputError(f"a key group has 1 to {_MOST_KEYS} public keys; keys and kms_keys have {len(names)}")
        if current is None and len(names) > 1:
            raise InputError(f"there are several keys ({', '.join(names)}): set current to the one that signers use")
        if current is not None and current not in names:
            raise InputError(f"current is {current!r}, which is not one of the keys {', '.join(names)}")


def _pem(name: str, text: str) -> str:
    """Return a key as OpenSSL writes it, so that the same key is the same resource."""
    if Token.is_unresolved(text):
        raise InputError(
            f"the key {name} is only known during the deployment: CloudFormation could not replace it. "
            "Give the PEM itself, or a KMS key in kms_keys"
        )
    if "PRIVATE KEY" in text.upper():
        raise InputError(
            f"the key {name} is a private key: give the public half, which "
            "`openssl pkey -in private_key.pem -pubout` prints. If a template has it, make another key pair"
        )
    try:
        return PublicKey.load(text).pem
    except KeyLoadError as error:
        raise InputError(f"the key {name} cannot be used: {error}") from None


def _digest(identity: str) -> str:
    return hashlib.sha256(identity.encode()).hexdigest()[:_DIGEST]
