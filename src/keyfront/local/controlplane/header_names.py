"""The names that an HTTP header can have."""

import re
from typing import Final

HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A token. Source: RFC 9110, section 5.1."""
