"""The ASGI adapter of the download service."""
