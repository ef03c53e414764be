"""Writes the queries of the Terraform module log-queries from the views of `keyfront logs`.

python tools/log_queries.py            # compare the files with the views
python tools/log_queries.py --write    # write the files again
"""

import sys
from pathlib import Path
from typing import Final

from keyfront.account.logs.dialect import QUESTIONS, athena_query

FOLDER: Final = Path(__file__).parent.parent / "terraform" / "modules" / "log-queries" / "queries"


def main(arguments: list[str]) -> int:
    """Write the files, or compare them with the views. Return the exit code."""
    wanted = {FOLDER / f"{name}.sql": athena_query(name) for name in QUESTIONS}
    if "--write" in arguments:
        FOLDER.mkdir(parents=True, exist_ok=True)
        for path, text in wanted.items():
            path.write_text(text, encoding="utf-8")
        return 0
    old = [path.name for path, text in wanted.items() if not path.exists() or path.read_text("utf-8") != text]
    if old:
        sys.stderr.write(f"{', '.join(old)}: the views have changed: run python tools/log_queries.py --write\n")
    return 1 if old else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
