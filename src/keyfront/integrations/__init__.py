"""keyfront inside other people's programs: frameworks, SDKs, streams, tables, tests."""
