"""Checks that CloudFront has the same public key under the id of the key that will sign.

A wrong pair would give a day of 403s. Here it is an error before the first signature.
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
    """Compares the public keys with `cloudfront:GetPublicKey`, if that is allowed.

    If the permission is missing or CloudFront does not respond, the key is used and a log line says that it was not
    checked. A download service must not stop because another service is down.
    """

    def __init__(self, client: "CloudFrontClient | None" = None, *, seconds: float = SECONDS) -> None:
        """If `client` is not given, the first check makes one by boto3's own rules.

        `seconds` is how long a first download waits for the key. The check may take a third of it.
        """
        self._client = client
        self._seconds = seconds / 3

    def __call__(self, key_pair_id: str, public_key: PublicKey) -> None:
        """Raise `KeyLoadError` if CloudFront does not have this id, or has another key under it."""
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
                    f"({public_key.fingerprint}) with `keyfront keys upload`, and use the id that it gets"
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
                f"the private key is not that of {key_pair_id}: its public half is {public_key.fingerprint}, but "
                f"CloudFront has {theirs.fingerprint} under that id. CloudFront would refuse every link "
                "(AccessDenied); store the key of that id, or the id of this key"
            )


def _client(seconds: float) -> "CloudFrontClient":
    import boto3
    from botocore.config import Config

    config = Config(**bounds(seconds, attempts=1))
    return boto3.session.Session().client("cloudfront", region_name="us-east-1", config=config)
