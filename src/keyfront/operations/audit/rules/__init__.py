"""What an audit looks for, a file a subject; each is a function from the account to findings."""

from keyfront.operations.audit.rules import behaviors, keys, origins, places

ALL = (*behaviors.CHECKS, *origins.CHECKS, *keys.CHECKS, *places.CHECKS)
RULES = (*behaviors.RULES, *origins.RULES, *keys.RULES, *places.RULES)

__all__ = ["ALL", "RULES"]
