"""How many examples a property is tried with: `make test` tries three in ten, and `make fuzz` many more.

`make test` tries the same examples each time, so that a change is what makes it fail. The others try new ones.
"""

from hypothesis import settings

settings.register_profile("light", max_examples=30, deadline=None, derandomize=True)
settings.register_profile("fuzz", max_examples=5000, deadline=None, print_blob=True)


def examples(usually: int) -> int:
    """That many with Hypothesis's own profile, and as many more or fewer as the profile in use says."""
    return max(1, usually * settings().max_examples // 100)
