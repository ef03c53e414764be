"""The page that draws who trusts whom, with the audit's findings."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from keyfront.account.audit import Finding, judge
from keyfront.account.audit.graph import curve, described
from keyfront.account.audit.layout import lay_out
from keyfront.account.audit.nodes import WIDTH, Node
from keyfront.console.context import Context
from keyfront.console.problems import problem_of
from keyfront.errors import KeyfrontError


@dataclass(frozen=True, slots=True)
class Drawn:
    """A node as the template draws it."""

    node: Node
    href: str
    told: str
    look: str
    """Its classes."""


class TrustPages:
    """The page `/trust`, and the drawing, which takes longer."""

    def __init__(self, context: Context) -> None:
        self._account = context.account
        self._pages = context.pages

    @property
    def routes(self) -> list[Route]:
        """The paths of these pages."""
        return [
            Route("/trust", self.page, methods=["GET"]),
            Route("/trust/drawing", self.drawing, methods=["GET"]),
        ]

    def page(self, request: Request) -> Response:
        """Show the page. Its script then asks for the drawing."""
        return self._pages.html(request, "trust.html", {})

    def drawing(self, _: Request) -> Response:
        """Return the drawing and the findings as a part of the page."""
        try:
            evidence, not_checked = self._account.evidence()
        except KeyfrontError as error:
            problem = problem_of(error)
            return HTMLResponse(self._pages.part("failed.html", {"problem": problem}), problem.status)
        report = judge(evidence, not_checked)
        layout = lay_out(evidence.inventory, report.findings, origins=True)
        numbers = {finding: number for number, finding in enumerate(report.findings, start=1)}
        values = {
            "layout": layout,
            "nodes": [_drawn(node, numbers) for node in layout.nodes],
            "lines": [(curve(start, end), start.id, end.id) for start, end in layout.lines],
            "node_width": WIDTH,
            "report": report,
            "pages": {finding: list(_pages_of(finding, layout.nodes)) for finding in report.findings},
        }
        return HTMLResponse(self._pages.part("drawing.html", values))


def _drawn(node: Node, numbers: dict[Finding, int]) -> Drawn:
    href = f"#finding-{numbers[node.findings[0]]}" if node.findings else page_of(node)
    look = " ".join(["node", node.kind, *(["open"] if node.is_open else []), str(node.worst or "")]).strip()
    return Drawn(node, href, described(node), look)


def page_of(node: Node) -> str:
    """Return the path of the page about a node."""
    match node.kind:
        case "key":
            return f"/keys/{quote(node.id, safe='')}"
        case "group":
            return f"/groups/{quote(node.id, safe='')}"
        case "behavior":
            distribution, _, pattern = node.id.partition(":")
            return f"/distributions/{quote(distribution, safe='')}/behavior?pattern={quote(pattern, safe='')}"
        case _:
            return f"/distributions/{quote(node.id.partition('/')[0], safe='')}"


def _pages_of(finding: Finding, nodes: Iterable[Node]) -> Iterable[tuple[str, str]]:
    """Yield the name and the path of the page of each node that a finding marks."""
    for node in nodes:
        if node.id in finding.marks:
            yield node.title, page_of(node)
