"""The messages between an edge and its worker process: a head and a content.

- `L` loads a function: JSON with `code`, `runtime` and `store`;
- `F` forgets a function;
- `R` runs one on an event (JSON). The answer is a size and the result (see `Isolate.run`).
"""

import struct
from typing import Final

HEAD: Final = struct.Struct(">cIQ")
"""The kind, the function's number, and the size of the content."""
SIZE: Final = struct.Struct(">Q")
