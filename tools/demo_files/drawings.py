"""The book's pictures as SVG: a cover and one drawing for each chapter."""

from collections.abc import Iterator

WIDTH, HEIGHT = 600, 360
COVER_WIDTH, COVER_HEIGHT = 600, 900

NIGHT, DUSK, SEA, INK = "#0f1b33", "#233a63", "#16284a", "#080f1f"
CREAM, AMBER, RED, GREEN, FOG = "#f4ead5", "#f6b042", "#d8503f", "#4fb286", "#8d9bb0"


def _scatter(seed: int, count: int, width: int, height: int) -> Iterator[tuple[int, int, int]]:
    """Yield `count` points that look random but are always the same: x, y, and a number below 1000 for variation."""
    state = seed
    for _ in range(count):
        numbers = []
        for _ in range(3):
            state = (state * 1103515245 + 12345) % 2**31
            numbers.append(state >> 8)
        yield numbers[0] % width, numbers[1] % height, numbers[2] % 1000


def _stars(seed: int, count: int, width: int, height: int) -> str:
    return "".join(
        f'<circle cx="{x}" cy="{y}" r="{0.6 + size / 1200:.2f}" fill="{CREAM}" opacity="{0.25 + size / 1700:.2f}"/>'
        for x, y, size in _scatter(seed, count, width, height)
    )


def _lamp(x: int, y: int, colour: str = AMBER, size: float = 1) -> str:
    """Return a light with its halo."""
    return (
        f'<circle cx="{x}" cy="{y}" r="{26 * size:.1f}" fill="{colour}" opacity="0.12"/>'
        f'<circle cx="{x}" cy="{y}" r="{13 * size:.1f}" fill="{colour}" opacity="0.25"/>'
        f'<circle cx="{x}" cy="{y}" r="{4.5 * size:.1f}" fill="{colour}"/>'
        f'<circle cx="{x}" cy="{y}" r="{2 * size:.1f}" fill="{CREAM}"/>'
    )


def _glitter(x: int, top: int, bottom: int, colour: str) -> str:
    """Return a light's reflection: strokes on the water, wider and fainter towards the viewer."""
    return "".join(
        f'<rect x="{x - width // 2 + (7 if index % 2 else -4)}" y="{y}" width="{width}" height="2" rx="1" '
        f'fill="{colour}" opacity="{max(0.08, 0.6 - index * 0.06):.2f}"/>'
        for index, y in enumerate(range(top, bottom, 11))
        for width in (8 + index * 4,)
    )


def _key(x: int, y: int, angle: int, colour: str, length: int = 74) -> str:
    """Return a key that hangs from (x, y), turned by `angle` degrees."""
    end = length - 4
    return (
        f'<g transform="translate({x} {y}) rotate({angle})" fill="none" stroke="{colour}" stroke-width="5">'
        f'<circle cx="0" cy="13" r="10"/><path d="M0 23V{length}" stroke-linecap="round"/>'
        f'<path d="M0 {end}h13v-9M0 {end - 17}h10" stroke-linejoin="round"/></g>'
    )


def _drawing(title: str, body: str, *, width: int = WIDTH, height: int = HEIGHT, sky: str = NIGHT) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="{title}"><title>{title}</title>'
        f'<rect width="{width}" height="{height}" fill="{sky}"/>{body}</svg>\n'
    )


def _train() -> str:
    windows = "".join(
        f'<rect x="{x}" y="214" width="22" height="17" rx="2" fill="{AMBER}"/>'
        f'<rect x="{x}" y="268" width="22" height="4" fill="{AMBER}" opacity="0.25"/>'
        for x in (*range(64, 220, 34), *range(252, 408, 34))
    )
    shore = "".join(
        _lamp(360 + x, 176 - x // 6 + y * 3 // 5, (AMBER, AMBER, RED, AMBER, GREEN)[size % 5], 0.32)
        for x, y, size in _scatter(41, 30, 230, 60)
    )
    return _drawing(
        "A night train on the sea wall, and the lights of a harbour beyond",
        _stars(7, 70, WIDTH, 110) + f'<path d="M300 200Q420 118 600 128V250H300Z" fill="{SEA}"/>{shore}'
        f'<rect y="252" width="600" height="108" fill="{INK}"/>'
        f'<path d="M0 252h600v9H0z" fill="{DUSK}"/>'
        f'<g fill="{INK}"><rect x="52" y="202" width="184" height="46" rx="5"/>'
        '<rect x="240" y="202" width="184" height="46" rx="5"/>'
        '<path d="M428 248v-32h34v-14h12v14h34q26 4 26 32z"/></g>'
        + windows
        + _lamp(536, 230, AMBER, 0.9)
        + "".join(f'<circle cx="{x}" cy="250" r="6" fill="{NIGHT}"/>' for x in range(74, 530, 42))
        + f'<g fill="{FOG}" opacity="0.3"><circle cx="452" cy="186" r="11"/>'
        '<circle cx="424" cy="170" r="16"/><circle cx="386" cy="158" r="21"/></g>',
    )


def _harbour() -> str:
    lights = ((66, 168, GREEN), (92, 150, GREEN), (196, 176, RED), (204, 118, CREAM), (318, 150, AMBER))
    more = ((402, 128, AMBER), (470, 160, AMBER), (548, 142, RED))
    return _drawing(
        "The harbour at night: greens at the pilot stairs, red and white at the fish dock",
        _stars(11, 60, WIDTH, 90)
        + f'<path d="M0 210V176h44v-34h62v40h50v-22h78v-58h26v58h46v22h70v-40h44v-28h26v28h40v34h60v-20h54v54z" '
        f'fill="{INK}"/><rect y="208" width="600" height="152" fill="{SEA}"/>'
        + "".join(_glitter(x, 216, 340, colour) for x, _, colour in (*lights, *more))
        + "".join(_lamp(x, y, colour, 0.7) for x, y, colour in (*lights, *more))
        + f'<path d="M250 300q50 20 100 0l-10 20h-80z" fill="{INK}"/>'
        f'<path d="M300 304v-72l34 58h-34" fill="{INK}" stroke="{INK}" stroke-width="3"/>',
    )


def _pass() -> str:
    lines = "".join(
        f'<path d="M196 {y}h{width}" stroke="{DUSK}" stroke-width="3" stroke-linecap="round" opacity="0.75"/>'
        for y, width in ((132, 150), (156, 190), (180, 120))
    )
    scallops = "".join(
        f'<circle cx="{381 + dx}" cy="{218 + dy}" r="11"/>'
        for dx, dy in ((0, -22), (16, -16), (22, 0), (16, 16), (0, 22), (-16, 16), (-22, 0), (-16, -16))
    )
    return _drawing(
        "A folded pass with three lines of writing and a wax seal",
        f'<rect width="600" height="360" fill="{DUSK}"/>'
        '<g transform="rotate(-4 300 180)">'
        f'<rect x="152" y="88" width="300" height="184" fill="{INK}" opacity="0.35"/>'
        f'<rect x="144" y="78" width="300" height="184" fill="{CREAM}"/>'
        '<path d="M144 222h300v40H144z" fill="#e6d8b8"/>'
        + lines
        + f'<g fill="{RED}"><circle cx="381" cy="218" r="26"/>{scallops}</g>'
        '<circle cx="381" cy="218" r="20" fill="none" stroke="#a53a2c" stroke-width="2.5"/>'
        + _key(381, 201, 0, "#a53a2c", 36).replace('stroke-width="5"', 'stroke-width="3" opacity="0.9"')
        + "</g>"
        + _lamp(70, 66, AMBER, 2.2),
    )


def _fog() -> str:
    banks = "".join(
        f'<rect x="{x - 160}" y="{40 + y}" width="{260 + size // 4}" height="{10 + size // 40}" rx="16" fill="{FOG}" '
        f'opacity="{0.06 + size / 9000:.2f}"/>'
        for x, y, size in _scatter(5, 34, 600, 280)
    )
    return _drawing(
        "Two people at the end of a mole in fog, a lantern on the last post, and the shape of a bow",
        '<rect width="600" height="360" fill="#3a4a63"/>'
        f'<path d="M420 262q70 22 180-6v-60q-90 44-180 66z" fill="{INK}" opacity="0.4"/>'
        f'<path d="M424 258L352 222M520 214V96M470 232l50-120" stroke="{INK}" stroke-width="5" '
        f'opacity="0.35"/><rect y="292" width="600" height="68" fill="{SEA}" opacity="0.7"/>'
        + banks
        + f'<path d="M0 268h262v92H0z" fill="{INK}"/><rect x="244" y="204" width="8" height="70" fill="{INK}"/>'
        f'<g fill="{INK}"><circle cx="150" cy="196" r="10"/><path d="M136 270v-48q14-20 28 0v48z"/>'
        '<circle cx="188" cy="192" r="10"/><path d="M174 270v-52q14-20 28 0v52z"/></g>' + _lamp(248, 200, AMBER, 2.6),
    )


def _rings() -> str:
    left = "".join(_key(180 + dx, 150 + dy, angle, FOG) for dx, dy, angle in _hung(72))
    right = "".join(_key(400 + dx, 132 + dy, angle, AMBER) for dx, dy, angle in _hung(72))
    return _drawing(
        "Two rings of keys hanging side by side, the old one dull and the new one bright",
        f'<rect width="600" height="360" fill="{NIGHT}"/><rect y="26" width="600" height="14" fill="{INK}"/>'
        f'<path d="M180 40v42M400 40v24" stroke="{INK}" stroke-width="7"/>'
        + left
        + right
        + f'<circle cx="180" cy="150" r="68" fill="none" stroke="{FOG}" stroke-width="7"/>'
        f'<circle cx="400" cy="132" r="68" fill="none" stroke="{AMBER}" stroke-width="7"/>',
    )


def _hung(radius: int) -> Iterator[tuple[int, int, int]]:
    """Yield the keys on the lower half of a ring: offsets from its centre, and each key's angle."""
    for across, down, tilt in ((-92, 38, 16), (-55, 83, 7), (0, 100, -2), (55, 83, -9), (92, 38, -15)):
        yield across * radius // 100, down * radius // 100 - 6, tilt


def _morning() -> str:
    rays = "".join(
        f'<path d="M430 196L{x} {y}" stroke="{CREAM}" stroke-width="2" opacity="0.35"/>'
        for x, y in ((250, 20), (340, 4), (430, 0), (520, 4), (600, 40), (600, 120), (180, 90))
    )
    return _drawing(
        "Morning over the harbour: a train leaves along the sea wall, and no lamp is lit",
        f'<rect width="600" height="360" fill="#f3c98b"/><rect width="600" height="120" fill="#f7dcae"/>{rays}'
        f'<circle cx="430" cy="196" r="58" fill="{AMBER}"/>'
        f'<circle cx="430" cy="196" r="44" fill="{CREAM}" opacity="0.6"/>'
        f'<rect y="208" width="600" height="152" fill="#6f8fa8"/>{_glitter(430, 216, 350, CREAM)}'
        '<path d="M0 204h600v8H0z" fill="#41566f"/>'
        '<g fill="#2b3a50"><rect x="300" y="182" width="40" height="20" rx="3"/>'
        '<rect x="256" y="182" width="40" height="20" rx="3"/><path d="M252 202v-12h-10v-8h-5v8h-12q-8 2-8 12z"/></g>'
        '<g fill="#fff" opacity="0.7"><circle cx="243" cy="172" r="6"/><circle cx="258" cy="164" r="9"/>'
        '<circle cx="280" cy="158" r="11"/></g>'
        f'<path d="M0 360V250h70v-40h54v50h40v100z" fill="{DUSK}"/>'
        f'<path d="M196 360v-92" stroke="{INK}" stroke-width="8"/><rect x="182" y="238" width="28" height="34" rx="4" '
        f'fill="{INK}"/><rect x="188" y="245" width="16" height="20" fill="#dfe7ea"/>',
    )


def cover() -> str:
    """Return the cover: the harbour's lights and their reflections under a ring of keys, with title and author."""
    shore = "".join(
        _lamp(20 + x, 560 + y, (AMBER, AMBER, RED, AMBER, GREEN, CREAM)[size % 6], 0.42 + size / 4000)
        + _glitter(20 + x, 626 + size % 7, 720 + size // 8, (AMBER, AMBER, RED, AMBER, GREEN, CREAM)[size % 6])
        for x, y, size in _scatter(2, 17, 560, 44)
    )
    text = f'font-family="Georgia, \'Times New Roman\', serif" text-anchor="middle" fill="{CREAM}"'
    return _drawing(
        "The Keeper of Small Lights, by Hanne Tolliver",
        _stars(3, 130, 600, 540)
        + f'<path d="M0 620V590h60v-22h90v30h70v-52h40v52h90v-18h80v-30h50v34h70v-20h50v56z" fill="{INK}"/>'
        f'<rect y="618" width="600" height="282" fill="{SEA}"/>{shore}'
        + "".join(_key(300 + dx, 372 + dy, angle, AMBER, 82) for dx, dy, angle in _hung(72))
        + f'<circle cx="300" cy="372" r="68" fill="none" stroke="{AMBER}" stroke-width="7"/>'
        f'<g {text}><text x="300" y="112" font-size="34" font-style="italic">The Keeper of</text>'
        '<text x="300" y="190" font-size="76">Small Lights</text>'
        '<text x="300" y="838" font-size="28" letter-spacing="5">HANNE TOLLIVER</text></g>'
        f'<path d="M240 222h120" stroke="{AMBER}" stroke-width="2"/>',
        width=COVER_WIDTH,
        height=COVER_HEIGHT,
    )


def chapters() -> tuple[tuple[str, str], ...]:
    """Return the drawing of each chapter, in order: its SVG, and a description of it."""
    drawings = (_train(), _harbour(), _pass(), _fog(), _rings(), _morning())
    return tuple((svg, svg.split("<title>")[1].split("</title>")[0]) for svg in drawings)
