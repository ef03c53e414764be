"""A signer for django-storages' `S3Storage`, of the setting `KEYFRONT`."""

from keyfront.core.signing import Signer
from keyfront.integrations.botocore import CloudFrontSigner
from keyfront.integrations.django.settings import current


def cloudfront_signer() -> CloudFrontSigner:
    """For `S3Storage(cloudfront_signer=cloudfront_signer())`: follows the key when it is rotated.

    The setting is read at the first URL, so that it may be called in the settings module itself.
    """
    return CloudFrontSigner(None, _Configured())


class _Configured:
    def signer(self) -> Signer:
        """The signer of now."""
        return current().site.signer()
