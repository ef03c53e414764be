"""The CloudFront API on a laptop: REST-XML as AWS's clients speak it, over an account in memory.

`ControlPlane.handle` answers a request, and `asgi.application` serves it. The edges tell `ControlPlane.propagation`
what they have applied. botocore's service model drives reading, checking and writing, so an operation is a function
from a parsed input to an output.
"""

from keyfront.local.controlplane.journal import Journal
from keyfront.local.controlplane.plane import ControlPlane
from keyfront.local.controlplane.propagation import Propagation
from keyfront.local.controlplane.quotas import Quotas
from keyfront.local.controlplane.writing import APIResponse

__all__ = ["APIResponse", "ControlPlane", "Journal", "Propagation", "Quotas"]
