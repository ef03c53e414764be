"""Log lines for the parts of a configuration that the edge does not run. docs/laptop.md has them in a table."""

import logging

from keyfront.inventory import Distribution

_log = logging.getLogger(__name__)


def warn_of_what_does_not_run(distribution: Distribution) -> None:
    """Log a line for each part of `distribution` that the edge leaves out."""
    if distribution.web_acl:
        _log.warning(
            "distribution %s: the web ACL does not run here, so it blocks nobody: %s",
            distribution.id,
            distribution.web_acl,
        )
    for behavior in (*distribution.behaviors, distribution.default_behavior):
        if behavior.encryption:
            _log.warning(
                "distribution %s, path pattern %s: field-level encryption does not run here, so the origin gets form "
                "fields as they are: %s",
                distribution.id,
                behavior.path_pattern,
                behavior.encryption,
            )
    for origin in distribution.origins:
        if origin.vpc_origin:
            _log.warning(
                "distribution %s: the origin %s is the VPC origin %s, which the edge cannot reach",
                distribution.id,
                origin.id,
                origin.vpc_origin,
            )
