"""How `keyfront explain` reads a response and shows a report: terminal, HTML page, and `--about`."""
