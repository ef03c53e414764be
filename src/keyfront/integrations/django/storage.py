"""A signer for django-storages' `S3Storage`, from the setting `KEYFRONT`."""

from keyfront.core.signing import Signer
from keyfront.integrations.botocore import CloudFrontSigner
from keyfront.integrations.django.settings import current


def cloudfront_signer() -> CloudFrontSigner:
    """Return a signer for `S3Storage(cloudfront_signer=cloudfront_signer())`. It follows the key's rotation.

    The setting is read at the first URL, so this function may be called in the settings module itself.
    """
    return CloudFrontSigner(None, _Configured())


class _Configured:
    def signer(self) -> Signer:
        """Return the current signer."""
        return current().site.signer()
