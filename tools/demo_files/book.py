"""The shop's ebook: a short story in six chapters with drawings, as EPUB 3."""

import html
import io
import re
import zipfile
from importlib.resources import files

from tools.demo_files import drawings

TITLE = "The Keeper of Small Lights"
AUTHOR = "Hanne Tolliver"
_IDENTIFIER = "urn:uuid:6f0c1c1e-0d5e-4a53-9d0a-41f1a5c6e041"
_MODIFIED = "2026-01-01T00:00:00Z"
_ABOUT = "A story of forty-one harbour lamps, their keys, and a paper that opens one door until one hour."

_CSS = """\
body { margin: 5%; line-height: 1.5; font-family: Georgia, "Iowan Old Style", serif; }
h1 { font-weight: normal; font-size: 1.7em; margin: 0.6em 0 1.2em; text-align: center; }
h1 span { display: block; font-size: 0.5em; letter-spacing: 0.2em; text-transform: uppercase; }
p { margin: 0; text-indent: 1.3em; hyphens: auto; -webkit-hyphens: auto; widows: 2; orphans: 2; }
p.first { text-indent: 0; }
p.first::first-line { font-variant: small-caps; }
img { display: block; width: 100%; height: auto; }
figure { margin: 0 0 1.5em; break-inside: avoid; }
.title { text-align: center; margin-top: 25%; }
.title p, .imprint p { text-indent: 0; text-align: center; }
.imprint { margin-top: 30%; font-size: 0.85em; }
.imprint p { margin-bottom: 1em; }
nav ol { list-style: none; padding: 0; line-height: 2; text-align: center; }
.cover { margin: 0; text-align: center; }
.cover img { width: auto; max-width: 100%; max-height: 98vh; margin: 0 auto; }
"""


def _page(title: str, body: str, *, kind: str) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE html>\n'
        '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" '
        'lang="en" xml:lang="en">\n'
        f'<head><title>{html.escape(title)}</title><link rel="stylesheet" href="book.css"/></head>\n'
        f'<body epub:type="{kind}">\n{body}\n</body>\n</html>\n'
    )


def _paragraph(text: str, *, first: bool) -> str:
    marked = re.sub(r"\*([^*]+)\*", r"<em>\1</em>", html.escape(text, quote=False))
    return f'<p class="first">{marked}</p>' if first else f"<p>{marked}</p>"


def _story() -> list[tuple[str, list[str]]]:
    """Return the chapters in order, each as its title and its paragraphs."""
    sources = sorted((files(__package__) / "story").iterdir(), key=lambda source: source.name)
    chapters = []
    for source in sources:
        title, *paragraphs = source.read_text("utf-8").strip().split("\n\n")
        chapters.append((title, paragraphs))
    return chapters


def _chapter(number: int, title: str, paragraphs: list[str], shows: str) -> str:
    text = "\n".join(_paragraph(paragraph, first=not index) for index, paragraph in enumerate(paragraphs))
    return _page(
        title,
        f'<section epub:type="chapter" role="doc-chapter" aria-labelledby="title">\n'
        f'<h1 id="title"><span>{number}</span> {html.escape(title)}</h1>\n'
        f'<figure><img src="chapter-{number}.svg" alt="{html.escape(shows)}"/></figure>\n{text}\n</section>',
        kind="bodymatter",
    )


def _navigation(titles: list[str]) -> str:
    entries = "\n".join(
        f'<li><a href="chapter-{number}.xhtml">{html.escape(title)}</a></li>'
        for number, title in enumerate(titles, start=1)
    )
    return _page(
        "Contents",
        f'<nav epub:type="toc" role="doc-toc" id="toc"><h1>Contents</h1>\n<ol>\n{entries}\n</ol></nav>\n'
        '<nav epub:type="landmarks" hidden="hidden"><h2>Landmarks</h2><ol>'
        '<li><a epub:type="cover" href="cover.xhtml">Cover</a></li>'
        '<li><a epub:type="bodymatter" href="chapter-1.xhtml">Story</a></li></ol></nav>',
        kind="frontmatter",
    )


def _package(pages: list[str], pictures: list[str]) -> str:
    manifest = [
        '<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>',
        '<item id="css" href="book.css" media-type="text/css"/>',
        '<item id="cover-picture" href="cover.svg" media-type="image/svg+xml" properties="cover-image"/>',
        *(f'<item id="{page}" href="{page}.xhtml" media-type="application/xhtml+xml"/>' for page in pages),
        *(f'<item id="{name}-picture" href="{name}.svg" media-type="image/svg+xml"/>' for name in pictures),
    ]
    spine = [f'<itemref idref="{page}"/>' for page in pages]
    spine.insert(2, '<itemref idref="nav"/>')
    newline = "\n"
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id" xml:lang="en">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="id">{_IDENTIFIER}</dc:identifier>
<dc:title>{TITLE}</dc:title>
<dc:creator>{AUTHOR}</dc:creator>
<dc:language>en</dc:language>
<dc:description>{_ABOUT}</dc:description>
<dc:rights>Written and drawn for keyfront; Apache-2.0, as keyfront itself.</dc:rights>
<meta property="dcterms:modified">{_MODIFIED}</meta>
<meta property="schema:accessMode">textual</meta>
<meta property="schema:accessMode">visual</meta>
<meta property="schema:accessModeSufficient">textual</meta>
<meta property="schema:accessibilityFeature">alternativeText</meta>
<meta property="schema:accessibilityFeature">readingOrder</meta>
<meta property="schema:accessibilityFeature">tableOfContents</meta>
<meta property="schema:accessibilityHazard">none</meta>
<meta property="schema:accessibilitySummary">The drawings have descriptions; the text stands without them.</meta>
</metadata>
<manifest>
{newline.join(manifest)}
</manifest>
<spine>
{newline.join(spine)}
</spine>
</package>
"""


_CONTAINER = """<?xml version="1.0" encoding="UTF-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="EPUB/package.opf" media-type="application/oebps-package+xml"/></rootfiles>
</container>
"""


def _contents() -> dict[str, str]:
    """Return the book's files in the order of the archive. The media type is first, as EPUB requires."""
    story = _story()
    pictures = drawings.chapters()
    numbered = list(enumerate(zip(story, pictures, strict=True), start=1))
    names = [f"chapter-{number}" for number, _ in numbered]
    return {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": _CONTAINER,
        "EPUB/package.opf": _package(["cover", "title", *names, "imprint"], names),
        "EPUB/nav.xhtml": _navigation([title for title, _ in story]),
        "EPUB/book.css": _CSS,
        "EPUB/cover.svg": drawings.cover(),
        "EPUB/cover.xhtml": _page(
            TITLE, f'<div class="cover"><img src="cover.svg" alt="{TITLE}, by {AUTHOR}"/></div>', kind="cover"
        ),
        "EPUB/title.xhtml": _page(
            TITLE,
            f'<section class="title" epub:type="titlepage"><h1>{TITLE}</h1><p>{AUTHOR}</p></section>',
            kind="frontmatter",
        ),
        **{
            f"EPUB/chapter-{number}.xhtml": _chapter(number, title, paragraphs, shows)
            for number, ((title, paragraphs), (_, shows)) in numbered
        },
        **{f"EPUB/chapter-{number}.svg": svg for number, (_, (svg, _)) in numbered},
        "EPUB/imprint.xhtml": _page(
            "About this book",
            '<section class="imprint" epub:type="colophon">'
            "<p>This story and its drawings were made for keyfront, and come under its licence, Apache-2.0.</p>"
            "<p>Skerrow is on no chart.</p></section>",
            kind="backmatter",
        ),
    }


def make() -> bytes:
    """Return the EPUB's bytes. They are not compressed, because zlib's output differs between versions."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as book:
        for name, content in _contents().items():
            entry = zipfile.ZipInfo(name, date_time=(2026, 1, 1, 0, 0, 0))
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            book.writestr(entry, content.encode("utf-8"))
    return archive.getvalue()
