"""Everything that an audit looks for, put together."""

from keyfront.operations.audit.rules import behaviors, keys, origins, places

ALL = (*behaviors.CHECKS, *origins.CHECKS, *keys.CHECKS, *places.CHECKS)
RULES = (*behaviors.RULES, *origins.RULES, *keys.RULES, *places.RULES)
