"""keyfront in other programs: frameworks, SDKs, streams, tables, tests."""
