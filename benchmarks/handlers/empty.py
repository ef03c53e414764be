"""A function that does nothing: what Lambda's runtime client takes by itself."""


def handler(_event: object, _context: object) -> dict[str, object]:
    """The same answer to everything."""
    return {"statusCode": 303, "headers": {"location": "https://example.com/"}, "body": ""}
