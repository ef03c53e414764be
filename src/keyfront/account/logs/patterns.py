"""The columns of `requests` that an account knows better than a log: distribution, path pattern, and trust."""

from collections.abc import Iterator

from keyfront.account.logs.reading import literal
from keyfront.inventory import CacheBehavior, Distribution, Inventory


def replaced_columns(account: Inventory | None, *, full_addresses: bool = False) -> dict[str, str]:
    """Return SQL by the names of columns of `requests`, for what an account or an option changes.

    With an account, a key-pair id and a link count only where a path needs a signature. Elsewhere everybody can write
    any id and any expiry into a URL, and CloudFront does not look at them.
    """
    columns: dict[str, str] = {}
    if full_addresses:
        columns |= {"network": "coalesce(address, network)"}
    distributions = account.distributions if account else ()
    if not distributions:
        return columns
    ids = " ".join(f"WHEN {literal(each.domain_name)} THEN {literal(each.id)}" for each in distributions)
    columns["distribution"] = f"CASE distribution {ids} ELSE distribution END"
    patterns, public = [], []
    for each in distributions:
        whose = f"distribution IN ({literal(each.id)}, {literal(each.domain_name)})"
        for behavior, condition in _behaviors(each):
            patterns.append(f"WHEN {whose} AND {condition} THEN {literal(behavior.path_pattern)}")
            public.append(f"WHEN {whose} AND {condition} THEN {str(not behavior.protected).lower()}")
    columns["pattern"] = f"CASE {' '.join(patterns)} ELSE pattern END"
    is_public = f"CASE {' '.join(public)} ELSE false END"
    columns["key_pair_id"] = f"CASE WHEN NOT ({is_public}) THEN key_pair_id END"
    columns["link"] = f"CASE WHEN NOT ({is_public}) THEN link END"
    return columns


def _behaviors(distribution: Distribution) -> Iterator[tuple[CacheBehavior, str]]:
    """Yield each behavior in order, and SQL for whether its pattern matches `path`. The first match counts."""
    for behavior in distribution.behaviors:
        glob = "/" + behavior.path_pattern.removeprefix("/")
        like = glob.replace("!", "!!").replace("%", "!%").replace("_", "!_").replace("*", "%").replace("?", "_")
        yield behavior, f"path LIKE {literal(like)} ESCAPE '!'"
    yield distribution.default_behavior, "true"
