"""All checks and rules of the audit."""

from keyfront.account.audit.rules import behaviors, key_locations, keys, origins

ALL = (*behaviors.CHECKS, *origins.CHECKS, *keys.CHECKS, *key_locations.CHECKS)
RULES = (*behaviors.RULES, *origins.RULES, *keys.RULES, *key_locations.RULES)
