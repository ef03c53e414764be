"""Why CloudFront refuses a request: findings with their evidence and fix.

`explain` takes values and returns a `Report`. It reads no clock, no file and no socket.
"""

from keyfront.explain.configuration import Behavior, Distribution, from_inventory
from keyfront.explain.report import explain
from keyfront.explain.responses import Response
from keyfront.explain.search import Budget
from keyfront.explain.values import Answer, Finding, Lineup, Report, Stage, Step, Verdict

__all__ = [
    "Answer",
    "Behavior",
    "Budget",
    "Distribution",
    "Finding",
    "Lineup",
    "Report",
    "Response",
    "Stage",
    "Step",
    "Verdict",
    "explain",
    "from_inventory",
]
