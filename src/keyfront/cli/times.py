"""Times and spans on the command line."""

from keyfront.core.entered_times import moment, seconds, span

__all__ = ["moment", "seconds", "span"]
