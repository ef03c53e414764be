"""A function that does nothing, to measure Lambda's runtime client alone."""


def handler(_event: object, _context: object) -> dict[str, object]:
    """Return the same response to every event."""
    return {"statusCode": 303, "headers": {"location": "https://example.com/"}, "body": ""}
