"""Whether the key that is about to sign is the one whose public half CloudFront has under its id.

A pair that does not fit would give a day of 403s; here it is an error before the first signature.
"""

import logging
from typing import TYPE_CHECKING

from keyfront.core.keys import PublicKey
from keyfront.errors import KeyLoadError
from keyfront.keystore.refreshing import SECONDS
from keyfront.keystore.services import bounds

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

_log = logging.getLogger(__name__)


class CloudFrontCheck:
    """Compares fingerprints by `cloudfront:GetPublicKey`, where that is allowed.

    Without the permission, or when CloudFront cannot be asked, the key is used and a log line says that it was not
    checked: a download service does not stop because another service is down.
    """

    def __init__(self, client: "CloudFrontClient | None" = None, *, seconds: float = SECONDS) -> None:
        """`client`: without one, it is made by boto3's own rules at the first check.

        CloudFront gets a third of `seconds`, the time that a first download waits for the key: the rest is for that.
        """
        self._client = client
        self._seconds = seconds / 3

    def __call__(self, key_pair_id: str, public_key: PublicKey) -> None:
        """Raises `KeyLoadError` when CloudFront has no such id, or another key under it."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            if self._client is None:
                self._client = _client(self._seconds)
            answer = self._client.get_public_key(Id=key_pair_id)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code == "NoSuchPublicKey":
                raise KeyLoadError(
                    f"CloudFront has no public key {key_pair_id}: upload the public half "
                    f"({public_key.fingerprint}) with `keyfront keys upload`, and name the id that it gets"
                ) from None
            if code in ("AccessDenied", "AccessDeniedException"):
                _log.info(
                    "whether %s is the key of %s was not checked: allow cloudfront:GetPublicKey",
                    public_key.fingerprint,
                    key_pair_id,
                )
                return
            _log.warning("whether the key is that of %s was not checked: CloudFront says %s", key_pair_id, code)
            return
        except BotoCoreError as error:
            _log.warning("whether the key is that of %s was not checked: %s", key_pair_id, type(error).__name__)
            return
        theirs = PublicKey.load(answer["PublicKey"]["PublicKeyConfig"]["EncodedKey"])
        if theirs != public_key:
            raise KeyLoadError(
                f"the private key is not that of {key_pair_id}: its public half is {public_key.fingerprint}, and "
                f"CloudFront has {theirs.fingerprint} under that id. Every link would be refused (AccessDenied); "
                "store the key of that id, or the id of this key"
            )


def _client(seconds: float) -> "CloudFrontClient":
    import boto3
    from botocore.config import Config

    config = Config(**bounds(seconds, attempts=1))
    return boto3.session.Session().client("cloudfront", region_name="us-east-1", config=config)
