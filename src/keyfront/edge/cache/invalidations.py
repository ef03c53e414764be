"""Invalidations: what an account wants out of the cache before its time.

Source: Developer Guide, "Invalidate files to remove content": a path is matched whole, query string included where
the behavior counts it, and `*` is a wildcard as its last character alone.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from keyfront.core.paths import normalise
from keyfront.edge.cache.objects import CacheKey
from keyfront.errors import ServiceError

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient


@dataclass(frozen=True, slots=True)
class Invalidation:
    """Paths of one distribution that are to be fetched anew."""

    id: str
    distribution_id: str
    paths: tuple[str, ...]

    def matcher(self) -> Callable[[CacheKey], bool]:
        """Whether the object of a cache key is one of those."""
        wanted = [normalise(path) for path in self.paths]
        whole = {path for path in wanted if not path.endswith("*")}
        beginnings = tuple(path[:-1] for path in wanted if path.endswith("*"))

        def matches(key: CacheKey) -> bool:
            if key.distribution_id != self.distribution_id:
                return False
            asked = f"{normalise(key.path)}?{key.query}" if key.query else normalise(key.path)
            return asked in whole or asked.startswith(beginnings)

        return matches


def unfinished(
    client: "CloudFrontClient", distribution_ids: Iterable[str], known: frozenset[str]
) -> Iterator[Invalidation]:
    """The invalidations in progress that are not `known` (ids). Raises `ServiceError` when the API fails."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        for distribution_id in distribution_ids:
            listed = client.list_invalidations(DistributionId=distribution_id)["InvalidationList"].get("Items", [])
            for item in listed:
                if item["Status"] == "Completed" or item["Id"] in known:
                    continue
                got = client.get_invalidation(DistributionId=distribution_id, Id=item["Id"])
                paths = got["Invalidation"]["InvalidationBatch"]["Paths"].get("Items", [])
                yield Invalidation(item["Id"], distribution_id, tuple(paths))
    except (BotoCoreError, ClientError) as error:
        raise ServiceError(f"the account's invalidations cannot be read: {error}") from error
