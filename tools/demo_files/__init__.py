"""What the bundled shop's files are made from: `python -m tools.demo_files OUT` writes them again.

Only the standard library is needed, and the files come out the same to the byte on every machine: nothing in
them is compressed by a library whose output changes between versions, and nothing carries a date of today.
"""
