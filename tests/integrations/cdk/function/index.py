"""The function of the tests' download endpoint."""


def handler(event, context):  # type: ignore[no-untyped-def]
    """Answer every request."""
    return {"statusCode": 200, "body": "hello"}
