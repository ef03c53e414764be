"""`python -m keyfront.edge`: see `keyfront.edge.process`."""

import sys

from keyfront.garbage import collect_rarely

collect_rarely()

from keyfront.edge.process import main  # noqa: E402  this import takes most of the time to start

sys.exit(main())
