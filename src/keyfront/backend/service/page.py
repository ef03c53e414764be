"""The page that shows a refusal to people. It needs no template engine, no script and no other file."""

import base64
import hashlib
from typing import Final

from keyfront.backend.service.exchange import Request
from keyfront.backend.service.refusals import Refusal

_STYLE: Final = """
:root { color-scheme: light dark; --paper: #faf6ee; --line: #e4dac7; --ink: #1f2530; --soft: #5c6270; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #10151f; --line: #2c374c; --ink: #f0ebdf; --soft: #a9b1c1; }
}
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif; }
header { padding: 1.2rem 1.25rem; border-bottom: 1px solid var(--line); font: 600 1.22rem/1.2 Georgia, serif; }
main { max-width: 36rem; margin: auto; padding: clamp(1.6rem, 4vw, 3rem) 1.25rem; overflow-wrap: anywhere; }
h1 { margin: 0.5rem 0 0.7rem; font: 600 clamp(1.9rem, 1.3rem + 2.6vw, 2.9rem)/1.15 Georgia, serif; }
p { margin: 0; color: var(--soft); font-size: 1.08rem; }
.kind { font-size: 0.78rem; letter-spacing: 0.07em; text-transform: uppercase; }
"""
STYLE_SOURCE: Final = f"'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"
"""The page's style, as a Content-Security-Policy names it."""


def refusal_page(_: Request, refusal: Refusal) -> str:
    """Return the page that says why a request was refused."""
    # Imported late: only people see pages, and a function on Lambda starts without the table of HTML's characters.
    from html import escape

    title = escape(refusal.title)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · Downloads</title>
<link rel="icon" href="data:,">
<style>{_STYLE}</style>
</head>
<body>
<header>Downloads</header>
<main>
<p class="kind">{refusal.status} · {escape(refusal.error.replace("_", " "))}</p>
<h1>{title}</h1>
<p>{escape(refusal.message)}</p>
</main>
</body>
</html>
"""
