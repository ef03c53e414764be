"""A rotation in the four steps of Secrets Manager: the Lambda function for a secret that holds a signer's document.

Source: Secrets Manager User Guide, "Lambda function for rotation". Secrets Manager repeats each step until it is done,
perhaps in a new process, so each step reads the current state. There is no step for the time when the old key's links
have expired. So the old key's comment in CloudFront says when it was replaced, and `retire` removes such keys from the
group. A schedule calls `retire`, and so does each rotation at its start.
"""

import logging
import os
import re
import time
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, cast

from keyfront.account.api_errors import code_of
from keyfront.account.key_groups import KeyGroup, public_keys
from keyfront.account.rotation.account import Account
from keyfront.account.rotation.function_settings import Settings
from keyfront.account.rotation.probing import Probe, ask, probe_target
from keyfront.core.keys import SigningKey
from keyfront.core.signing import Signer
from keyfront.errors import InputError, KeyfrontError, ServiceError
from keyfront.keystore import SignerDocument
from keyfront.keystore.services import asked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_cloudfront import CloudFrontClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_secretsmanager.type_defs import DescribeSecretResponseTypeDef

_MARGIN: Final = 15
"""Seconds before the function's timeout when it stops waiting, so that it can say why."""
_REPLACED = re.compile(r"keyfront: replaced (\S+) by K?\w+")

_log = logging.getLogger(__name__)


class SecretRotation:
    """The rotation of one secret's key. `remaining` returns the seconds until the function's timeout."""

    def __init__(
        self,
        settings: Settings,
        cloudfront: "CloudFrontClient",
        manager: "SecretsManagerClient",
        *,
        probe: Probe = ask,
        remaining: Callable[[], float] = lambda: 900.0,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._account = Account(cloudfront)
        self._manager = manager
        self._probe = probe
        self._remaining = remaining
        self._clock = clock
        self._sleep = sleep

    def step(self, name: str, secret: str, token: str) -> None:
        """Do one of Secrets Manager's steps for the version `token`, wholly or not at all. Raises `KeyfrontError`."""
        steps = {
            "createSecret": self._create,
            "setSecret": self._set,
            "testSecret": self._test,
            "finishSecret": self._finish,
        }
        if name not in steps:
            raise InputError(f"{name!r} is not a step of a rotation: give {', '.join(steps)} or retire")
        described = self._described(secret)
        stages = described.get("VersionIdsToStages", {}).get(token)
        if stages is None:
            raise InputError(f"secret {secret} has no version {token}: Secrets Manager makes it when a rotation begins")
        with _told():
            if "AWSCURRENT" in stages:
                # The step was done already, but Secrets Manager did not get the response.
                if name == "finishSecret":
                    self._note_replaced(secret)
                return
            if "AWSPENDING" not in stages:
                raise InputError(f"version {token} of secret {secret} is not AWSPENDING: this rotation was cancelled")
            steps[name](secret, token)

    def retire(self, secret: str) -> list[str]:
        """Remove keys from the group when their last link has expired, delete them, and return their ids."""
        with _told():
            current = self._read(secret, stage="AWSCURRENT")
            pending = self._read(secret, stage="AWSPENDING", missing_is_none=True)
            in_use = {each.key_pair_id for each in (current, pending) if each is not None}
            if current is not None:
                # A rotation that died after its switch has not saved the time.
                self._note_replaced(secret)
            group, gone = self._group(), []
            for key in list(public_keys(self._account.client)):
                noted = _REPLACED.match(key.comment)
                if noted is None or key.id in in_use:
                    continue
                kept = self._settings.signer_ttl_seconds + self._settings.grace_seconds
                if datetime.fromisoformat(noted[1]).timestamp() + kept <= self._clock():
                    self._account.remove(group.id, key.id)
                    # A key in another group stays. A key in no group was left by a call that died.
                    if self._account.delete(key.id):
                        continue
                    _log.info("%s is no longer trusted: its last link has expired", key.id)
                    gone.append(key.id)
            return gone

    def _create(self, secret: str, token: str) -> None:
        if self._read(secret, token=token, missing_is_none=True) is not None:
            return
        document = self._read(secret, stage="AWSCURRENT")
        assert document is not None
        if not isinstance(document.key, SigningKey):
            raise InputError(
                f"secret {secret} names a key in KMS, and this function cannot make a new one there: "
                "use keyfront rotate start --kms-key"
            )
        if document.key_pair_id not in self._group().keys:
            raise InputError(
                f"secret {secret} signs with {document.key_pair_id}, which key group {self._settings.key_group} does "
                "not hold: set KEY_GROUP to the group of that key, or fix the document"
            )
        self.retire(secret)
        self._account.has_room(self._group())
        name = f"keyfront-{token}"
        self._forget_orphan(name)
        key = SigningKey.generate(self._settings.key_type or document.key.algorithm)
        comment = f"Replaces {document.key_pair_id} in {self._settings.key_group} (Secrets Manager)"
        new_id = self._account.upload(name, key.public_key, comment)
        hash_algorithm = self._settings.hash_algorithm or document.hash_algorithm
        text = SignerDocument(new_id, key, hash_algorithm, document.version + 1).to_json()
        try:
            asked(
                f"secret {secret}",
                "secretsmanager:PutSecretValue",
                lambda: self._manager.put_secret_value(
                    SecretId=secret, ClientRequestToken=token, SecretString=text, VersionStages=["AWSPENDING"]
                ),
            )
        except KeyfrontError:
            self._account.delete(new_id)
            raise
        _log.info("made a new key with the public key %s", new_id)

    def _set(self, secret: str, token: str) -> None:
        document = self._pending(secret, token)
        self._account.add(self._group().id, document.key_pair_id)
        _log.info("%s is in key group %s", document.key_pair_id, self._settings.key_group)

    def _test(self, secret: str, token: str) -> None:
        document = self._pending(secret, token)
        group = self._trusting(document)
        url = self._settings.probe_url or probe_target(self._account.client, group.id)
        assert isinstance(document.key, SigningKey)
        signer = Signer(document.key_pair_id, document.key, document.hash_algorithm, clock=self._clock)
        self._wait(
            group.modified.timestamp() + self._settings.propagation_seconds - self._clock(), "still waiting for it"
        )
        let_in = 0
        while let_in < self._settings.probes:
            refused = self._probe(signer, url)
            let_in = 0 if refused else let_in + 1
            if refused:
                self._wait(1, refused)
        _log.info("%d requests in a row, signed with %s, were allowed", let_in, document.key_pair_id)

    def _finish(self, secret: str, token: str) -> None:
        document = self._pending(secret, token)
        self._trusting(document)
        versions = self._described(secret).get("VersionIdsToStages", {})
        current = next((version for version, stages in versions.items() if "AWSCURRENT" in stages), None)
        moved = {"RemoveFromVersionId": current} if current else {}
        asked(
            f"secret {secret}",
            "secretsmanager:UpdateSecretVersionStage",
            lambda: self._manager.update_secret_version_stage(
                SecretId=secret, VersionStage="AWSCURRENT", MoveToVersionId=token, **moved
            ),
        )
        _log.info("switched the signers: secret %s names %s", secret, document.key_pair_id)
        self._note_replaced(secret)

    def _note_replaced(self, secret: str) -> None:
        """Write in the replaced key's comment when signers stopped using it, unless it is there already."""
        current = self._read(secret, stage="AWSCURRENT")
        previous = self._read(secret, stage="AWSPREVIOUS", missing_is_none=True)
        if current is None or previous is None or previous.key_pair_id == current.key_pair_id:
            return
        client, key_id = self._account.client, previous.key_pair_id
        try:
            found = client.get_public_key_config(Id=key_id)
        except client.exceptions.NoSuchPublicKey:
            return
        by = f"by {current.key_pair_id}"
        config = found["PublicKeyConfig"]
        if _REPLACED.match(config.get("Comment", "")) and config.get("Comment", "").endswith(by):
            return
        at = datetime.fromtimestamp(self._clock(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        noted = {**config, "Comment": f"keyfront: replaced {at} {by}"}
        client.update_public_key(Id=key_id, IfMatch=found["ETag"], PublicKeyConfig=noted)  # type: ignore[arg-type]

    def _forget_orphan(self, name: str) -> None:
        """Delete a public key that a process uploaded before it died: its private key is lost."""
        there = next((key for key in public_keys(self._account.client) if key.name == name), None)
        if there is not None and (held := self._account.delete(there.id)):
            raise InputError(
                f"the private key of {there.id} ({name}) is lost, but {', '.join(held)} holds the public key: remove it"
            )

    def _group(self) -> KeyGroup:
        return self._account.group(self._settings.key_group)

    def _trusting(self, document: SignerDocument) -> KeyGroup:
        group = self._group()
        if document.key_pair_id not in group.keys:
            raise InputError(
                f"{document.key_pair_id} is not in key group {group.name} ({group.id}): someone removed it; "
                "cancel the rotation (aws secretsmanager cancel-rotate-secret) and rotate again"
            )
        return group

    def _wait(self, seconds: float, why: str) -> None:
        if seconds <= 0:
            return
        if self._remaining() < seconds + _MARGIN:
            raise ServiceError(
                f"the new key is not proved at the edge, and the function's time is over ({why}): Secrets Manager "
                "will try again; give the function a timeout above PROPAGATION_SECONDS, at most 900 s"
            )
        self._sleep(seconds)

    def _pending(self, secret: str, token: str) -> SignerDocument:
        document = self._read(secret, token=token)
        assert document is not None
        return document

    def _described(self, secret: str) -> "DescribeSecretResponseTypeDef":
        return asked(
            f"secret {secret}",
            "secretsmanager:DescribeSecret",
            lambda: self._manager.describe_secret(SecretId=secret),
        )

    def _read(
        self, secret: str, *, token: str | None = None, stage: str = "AWSPENDING", missing_is_none: bool = False
    ) -> SignerDocument | None:
        version = {"VersionId": token} if token else {}

        def get() -> str | None:
            try:
                got = self._manager.get_secret_value(SecretId=secret, VersionStage=stage, **version)
            except self._manager.exceptions.ResourceNotFoundException:
                if missing_is_none:
                    return None
                raise
            return got.get("SecretString", "")

        text = asked(f"secret {secret} ({stage})", "secretsmanager:GetSecretValue", get)
        return None if text is None else SignerDocument.parse(text, source=f"secret {secret} ({stage})")


def handler(event: Mapping[str, str], context: Any) -> dict[str, list[str]]:
    """Handle an event from Secrets Manager, or `{"Step": "retire", "SecretId": …}` from a schedule."""
    import boto3
    from botocore.config import Config

    logging.getLogger().setLevel(logging.INFO)
    settings = Settings.from_environment(os.environ)
    for name in ("Step", "SecretId", *(("ClientRequestToken",) if event.get("Step") != "retire" else ())):
        if not isinstance(event.get(name), str):
            raise InputError(f'the event has no {name}: Secrets Manager sends it; a schedule sends "Step": "retire"')
    config = Config(retries={"mode": "standard", "total_max_attempts": 5})
    session = boto3.session.Session()
    rotation = SecretRotation(
        settings,
        session.client("cloudfront", config=config),
        session.client("secretsmanager", config=config),
        remaining=lambda: cast("int", context.get_remaining_time_in_millis()) / 1000,
    )
    if event["Step"] == "retire":
        return {"retired": rotation.retire(event["SecretId"])}
    rotation.step(event["Step"], event["SecretId"], event["ClientRequestToken"])
    return {}


@contextmanager
def _told() -> "Iterator[None]":
    """Explain errors of CloudFront's API in words, with the IAM action."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        action, code = f"cloudfront:{error.operation_name}", code_of(error)
        if code in ("AccessDenied", "AccessDeniedException"):
            text = f"{code}: the IAM action {action} is missing; allow it in the function's role"
            raise ServiceError(text) from None
        raise ServiceError(f"{action} was refused: {code}: {error.response['Error'].get('Message', '')}") from None
    except BotoCoreError as error:
        raise ServiceError(f"CloudFront did not answer: {error}") from None
