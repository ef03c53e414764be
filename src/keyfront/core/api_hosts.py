"""Host names of APIs: recognises those of API Gateway's APIs and of Lambda's function URLs.

Sources: API Gateway Developer Guide, "Invoke REST APIs" (ID.execute-api.REGION.amazonaws.com); Lambda Developer Guide,
"Creating and managing Lambda function URLs" (ID.lambda-url.REGION.on.aws). On a laptop the names end in `localhost`.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal, cast

_BASE: Final = r"(?:localhost(?:\.localstack\.cloud)?|amazonaws\.com(?:\.cn)?|on\.aws)"
_HOST: Final = re.compile(rf"(?P<id>[a-z0-9]+)\.(?P<kind>execute-api|lambda-url)(?:\.(?P<region>[a-z0-9-]+))?\.{_BASE}")


@dataclass(frozen=True, slots=True)
class APIHost:
    """What a host name stands for: an API of API Gateway, or a function URL."""

    kind: Literal["execute-api", "lambda-url"]
    id: str
    region: str
    """Empty if the name has no region."""

    @property
    def local(self) -> str:
        """Its name on a laptop."""
        return ".".join(filter(None, (self.id, self.kind, self.region, "localhost")))


def api_host(host: str) -> APIHost | None:
    """Return what `host` (lower case, without a port) stands for, or `None` if it is another host."""
    found = _HOST.fullmatch(host)
    if found is None:
        return None
    kind = cast(Literal["execute-api", "lambda-url"], found["kind"])
    return APIHost(kind, found["id"], found["region"] or "")
