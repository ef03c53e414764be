"""Responses as people paste them."""

import pytest

from keyfront.explain.inputs.answer import response

XML = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>InvalidKey</Code><Message>Unknown Key</Message></Error>'


@pytest.mark.parametrize(
    ("text", "status", "kind"),
    [
        (XML, 403, "viewer-check"),
        (f"HTTP/2 403 \r\nserver: CloudFront\r\n\r\n{XML}", 403, "viewer-check"),
        (f"HTTP/1.1 100 Continue\n\nHTTP/1.1 403 Forbidden\nServer: CloudFront\n\n{XML}", 403, "viewer-check"),
        (
            (
                "*   Trying 192.0.2.1:443...\n> GET /a HTTP/2\n> Host: media.example.com\n>\n< HTTP/2 403\n"
                f"< server: CloudFront\n< content-type: text/xml\n<\n{{ [110 bytes data]\n{XML}"
            ),
            403,
            "viewer-check",
        ),
        (
            (
                "--2026-11-30--  https://media.example.com/a\nHTTP request sent, awaiting response...\n"
                "  HTTP/1.1 403 Forbidden\n  Server: AmazonS3\n  Content-Type: application/xml\nERROR 403: no.\n"
            ),
            403,
            "s3",
        ),
        ("server: AmazonS3\nx-cache: Error from cloudfront\ncontent-type: application/xml\n", 403, "s3"),
        (":status: 503\nx-cache: FunctionExecutionError from cloudfront\n", 503, "function"),
        ("Status Code: 404 Not Found\nserver: AmazonS3\n", 404, "s3"),
        ("HTTP/2 200\nx-cache: Error from cloudfront\n\n<!doctype html>", 200, "masked"),
        ("HTTP/2 200\nx-cache: Hit from cloudfront\nserver: AmazonS3\n\nabc", 200, "success"),
        ("HTTP/2 304\n", 304, "success"),
        ("", 0, "other"),
        (
            (
                "HTTP/1.1 307 Temporary Redirect\nServer: AmazonS3\nLocation: https://b.s3.eu-west-1.amazonaws.com/a\n\n"
                f"HTTP/1.1 403 Forbidden\nServer: AmazonS3\n\n{XML}"
            ),
            307,
            "s3",
        ),
        ("HTTP/2 403\nserver: CloudFront\ncontent-type: text/xml\ncontent-length: 146\n", 403, "viewer-check"),
        ("HTTP/2 403\nserver: CloudFront\ncontent-type: text/html\n", 403, "cloudfront-page"),
    ],
)
def test_a_response_is_read(text: str, status: int, kind: str) -> None:
    read = response(text)
    assert (read.status, read.kind) == (status, kind)


def test_the_length_tells_the_code_that_head_does_not_show() -> None:
    for length, code in (("146", "MissingKey"), ("106", "InvalidKey"), ("110", "AccessDenied"), ("999", "")):
        read = response(f"HTTP/2 403\nserver: CloudFront\ncontent-type: text/xml\ncontent-length: {length}\n")
        assert read.code == code


def test_an_applications_headers_are_not_mistaken() -> None:
    read = response("note: this is a body\n\nwith two parts")
    assert (read.kind, dict(read.headers)) == ("other", {})
