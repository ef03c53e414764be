"""Invalidations: objects that an account removes from the cache before they expire.

Source: Developer Guide, "Invalidate files to remove content": a path must match completely, including the query string
if it is in the cache key. `*` is a wildcard only as the last character.
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
    """Paths of one distribution that must be fetched again."""

    id: str
    distribution_id: str
    paths: tuple[str, ...]

    def matcher(self) -> Callable[[CacheKey], bool]:
        """Return a function that says whether a cache key's object is invalidated."""
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
    """Yield the invalidations in progress whose ids are not in `known`. Raises `ServiceError` if the API fails."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        for distribution_id in distribution_ids:
            try:
                listed = client.list_invalidations(DistributionId=distribution_id)["InvalidationList"].get("Items", [])
            except client.exceptions.NoSuchDistribution:
                continue  # deleted since the account was read
            for item in listed:
                if item["Status"] == "Completed" or item["Id"] in known:
                    continue
                got = client.get_invalidation(DistributionId=distribution_id, Id=item["Id"])
                paths = got["Invalidation"]["InvalidationBatch"]["Paths"].get("Items", [])
                yield Invalidation(item["Id"], distribution_id, tuple(paths))
    except (BotoCoreError, ClientError) as error:
        raise ServiceError(f"the account's invalidations cannot be read: {error}") from error
