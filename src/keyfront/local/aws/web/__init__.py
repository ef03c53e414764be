"""The web addresses of functions: HTTP APIs and function URLs."""
