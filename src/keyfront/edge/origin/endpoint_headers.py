"""Headers for a laptop's endpoint: what Amazon's services know of a request without being told.

Assumed: Amazon's services recognise CloudFront by its credentials and its Host header. The endpoint accepts every
credential, has one address, and keeps web pages away, so the edge tells it.
"""

from typing import Final

SOURCE_ARN: Final = "x-amz-source-arn"
"""The distribution or origin access identity that CloudFront acts for."""
SOURCE_HOST: Final = "x-amz-source-host"
"""The Host header as the service gets it from CloudFront, if a behavior hands on the viewer's."""
SOURCE_SERVICE: Final = "x-amz-source-service"
"""Says that an edge hands on a viewer's request to S3, so an `Origin` in it is no sign of a browser at the endpoint."""
