"""The addresses on the web that belong to functions: HTTP APIs and function URLs."""
