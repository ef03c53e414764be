"""The download service's ASGI face."""
