"""The CloudFront API on a laptop: the REST-XML that AWS's clients use, with an account in memory.

`ControlPlane.handle` handles a request, and `asgi.application` serves it over HTTP. The edges report to
`ControlPlane.propagation` what they have applied. botocore's service model drives reading, validation and writing, so
an operation is only a function from a parsed input to an output.
"""

from keyfront.local.controlplane.journal import Journal
from keyfront.local.controlplane.plane import ControlPlane
from keyfront.local.controlplane.propagation import Propagation
from keyfront.local.controlplane.quotas import Quotas
from keyfront.local.controlplane.writing import APIResponse

__all__ = ["APIResponse", "ControlPlane", "Journal", "Propagation", "Quotas"]
