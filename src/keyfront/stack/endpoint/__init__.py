"""One AWS endpoint for the whole laptop: CloudFront is ours, every other service is moto's, in the same process."""

from keyfront.stack.endpoint.application import Endpoint
from keyfront.stack.endpoint.state import ServicesState

__all__ = ["Endpoint", "ServicesState"]
