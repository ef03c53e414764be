"""All checks and rules of the audit."""

from keyfront.account.audit.rules import behaviors, encryption, key_locations, keys, origins, reaching, siblings

_FILES = (behaviors, siblings, origins, reaching, encryption, keys, key_locations)
ALL = tuple(check for file in _FILES for check in file.CHECKS)
RULES = tuple(rule for file in _FILES for rule in file.RULES)
