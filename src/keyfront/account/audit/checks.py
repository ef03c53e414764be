"""All checks and rules of the audit."""

from keyfront.account.audit.rules import (
    behaviors,
    edge_functions,
    encryption,
    key_locations,
    keys,
    origins,
    reaching,
    siblings,
    usage,
)

_FILES = (behaviors, siblings, edge_functions, origins, reaching, encryption, keys, usage, key_locations)
ALL = tuple(check for file in _FILES for check in file.CHECKS)
RULES = tuple(rule for file in _FILES for rule in file.RULES)
