"""Everything that an audit looks for, put together."""

from keyfront.account.audit.rules import behaviors, keys, origins
from keyfront.account.audit.rules import key_locations as places

ALL = (*behaviors.CHECKS, *origins.CHECKS, *keys.CHECKS, *places.CHECKS)
RULES = (*behaviors.RULES, *origins.RULES, *keys.RULES, *places.RULES)
