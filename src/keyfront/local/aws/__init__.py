"""One AWS endpoint for the laptop: CloudFront by keyfront, and all other services by moto in the same process."""

from keyfront.local.aws.application import Endpoint
from keyfront.local.aws.services_state import ServicesState

__all__ = ["Endpoint", "ServicesState"]
