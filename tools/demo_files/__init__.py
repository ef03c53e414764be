"""The sources of the bundled shop's files: `python -m tools.demo_files OUT` writes them again.

They need only the standard library, and have the same bytes on every machine: no library with changing output
compresses them, and they do not contain the current date.
"""
