"""Where a private key is, and who may sign with it: in KMS, in a secret, or in an SSM parameter.

The template never has the key. KMS makes its own. A secret is created empty, and a parameter is only named, because
CloudFormation cannot create a SecureString: fill them from outside, for example with `keyfront keys store`.
"""

import re
from typing import Final, Literal

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from keyfront.errors import InputError

_NAME: Final = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*")
_LONGEST: Final = 200
_RESERVED: Final = re.compile(r"(aws|ssm)", re.IGNORECASE)
_SPECS: Final = {"RSA_2048": "RSASSA_PKCS1_V1_5_SHA_256", "ECC_NIST_P256": "ECDSA_SHA_256"}
"""The keys that CloudFront can verify, with the algorithm of their signatures."""


class SigningKey(Construct):  # type: ignore[misc]
    """A signing key. Give `signer` to the code that signs, and let its role sign with `grant_sign`."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002  the CDK's name
        *,
        name: str,
        kind: Literal["kms", "secret", "parameter"] = "kms",
        kms_key_spec: Literal["RSA_2048", "ECC_NIST_P256"] = "RSA_2048",
        kms_deletion_window_days: int = 30,
        encryption_key_arn: str | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        """Create or name the key.

        - `name` makes the alias `alias/NAME` in KMS, the secret `NAME`, or the parameter `/NAME`.
        - `encryption_key_arn` is the KMS key that encrypts the secret or the parameter, if it is not Amazon's own.
        - `removal_policy`: a key in KMS and a secret stay when they leave the stack, unless you choose `DESTROY`.

        Raises `InputError`.
        """
        super().__init__(scope, id)
        if not _NAME.fullmatch(name) or len(name) > _LONGEST or _RESERVED.match(name):
            raise InputError(
                f"name is {name!r}: use at most {_LONGEST} letters, digits, - and _, in parts separated by /, not "
                "beginning with aws or ssm"
            )
        if kms_key_spec not in _SPECS:
            raise InputError(f"kms_key_spec is {kms_key_spec!r}: CloudFront verifies RSA_2048 and ECC_NIST_P256 only")
        self.kms_key_arn: str | None = None
        """The key in KMS, for `kms_keys` of a `TrustedKeyGroup`."""
        self.statements: list[iam.PolicyStatement] = []
        """What a signer may do, and nothing else."""
        if kind == "kms":
            self.signer: str = f"kms:alias/{name}"
            """The key's address for signers: `kms:alias/NAME`, `secretsmanager:NAME` or `ssm:/NAME`."""
            self._in_kms(name, kms_key_spec, kms_deletion_window_days, removal_policy)
        elif kind == "secret":
            self.signer = f"secretsmanager:{name}"
            self._in_secret(name, encryption_key_arn, removal_policy)
        elif kind == "parameter":
            self.signer = f"ssm:/{name}"
            self._in_parameter(name, encryption_key_arn)
        else:
            raise InputError(f"kind is {kind!r}: use kms, secret or parameter")

    def grant_sign(self, grantee: iam.IGrantable) -> None:
        """Let a role or a user sign."""
        for statement in self.statements:
            grantee.grant_principal.add_to_principal_policy(statement)

    def _in_kms(self, name: str, spec: str, days: int, removal_policy: RemovalPolicy) -> None:
        key = kms.Key(
            self,
            "Key",
            description=f"Signs CloudFront URLs and cookies: {name}",
            alias=name,
            key_spec=kms.KeySpec[spec],
            key_usage=kms.KeyUsage.SIGN_VERIFY,
            pending_window=Duration.days(days),
            removal_policy=removal_policy,
        )
        self.kms_key_arn = key.key_arn
        self.statements = [
            _statement("ReadPublicKey", "kms:GetPublicKey", key.key_arn),
            _statement("Sign", "kms:Sign", key.key_arn, {"kms:SigningAlgorithm": _SPECS[spec]}),
        ]

    def _in_secret(self, name: str, encryption_key_arn: str | None, removal_policy: RemovalPolicy) -> None:
        secret = secretsmanager.CfnSecret(
            self,
            "Secret",
            name=name,
            description="Signs CloudFront URLs and cookies",
            kms_key_id=encryption_key_arn,
        )
        secret.apply_removal_policy(removal_policy)
        self.statements = [_statement("ReadSecret", "secretsmanager:GetSecretValue", secret.ref)]
        if encryption_key_arn is not None:
            condition = {"kms:EncryptionContext:SecretARN": secret.ref}
            self.statements.append(_statement("DecryptSecret", "kms:Decrypt", encryption_key_arn, condition))

    def _in_parameter(self, name: str, encryption_key_arn: str | None) -> None:
        arn = Stack.of(self).format_arn(service="ssm", resource="parameter", resource_name=name)
        self.statements = [_statement("ReadParameter", "ssm:GetParameter", arn)]
        if encryption_key_arn is not None:
            condition = {"kms:EncryptionContext:PARAMETER_ARN": arn}
            self.statements.append(_statement("DecryptParameter", "kms:Decrypt", encryption_key_arn, condition))


def _statement(sid: str, action: str, resource: str, equals: dict[str, str] | None = None) -> iam.PolicyStatement:
    conditions = {"StringEquals": equals} if equals else None
    return iam.PolicyStatement(sid=sid, actions=[action], resources=[resource], conditions=conditions)
