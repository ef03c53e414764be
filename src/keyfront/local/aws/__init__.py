"""One AWS endpoint for the whole laptop: CloudFront is ours, every other service is moto's, in the same process."""

from keyfront.local.aws.application import Endpoint
from keyfront.local.aws.services_state import ServicesState

__all__ = ["Endpoint", "ServicesState"]
