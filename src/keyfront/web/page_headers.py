"""The response headers of every page that people open in a browser."""


def page_headers(policy: str) -> tuple[tuple[str, str], ...]:
    """Return the headers, with `policy` as the Content-Security-Policy. A response may replace each of them."""
    return (
        ("content-security-policy", policy),
        ("x-content-type-options", "nosniff"),
        # Not no-referrer, with which browsers send `Origin: null` for our own forms.
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
        ("cache-control", "no-store"),
    )
