"""What the log says of a key: safe to remove, or that it cannot tell."""

from dataclasses import replace

import pytest

from keyfront.account.logs.keys import KeyUse, key_verdicts

NOW = 1_900_000_000
USE = KeyUse("K1", "E1", "/*", 3, 2, 1, 0, NOW - 900, NOW - 60, NOW - 600, NOW + 60, 3, 0, 3, 0)


@pytest.mark.parametrize(
    ("use", "safe", "because"),
    [
        (USE, "after 2030-03-17 17:47:40 UTC", "A link that was opened is still valid until then."),
        (replace(USE, latest_expiry=NOW - 60), "now", "Every link in the log has expired."),
        (replace(USE, allowed=0, last_allowed=None, latest_expiry=None), "cannot tell", "Every request that named it"),
    ],
)
def test_a_key_is_called_safe_to_remove_only_if_links_of_it_were_opened(use: KeyUse, safe: str, because: str) -> None:
    (verdict,) = key_verdicts([use], NOW)
    assert (verdict.safe(NOW), verdict.because.startswith(because)) == (safe, True)
    assert verdict.because.endswith("Links that nobody has opened yet are not in a log.")
