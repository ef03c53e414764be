"""`python -m keyfront`: the same as the `keyfront` command."""

import sys

from keyfront.cli import main

sys.exit(main())
