"""Why CloudFront refuses a request: findings with evidence and fix.

`explain` takes values and gives a `Report`; it reads no clock, no file and no socket.
"""

from keyfront.diagnosis.configuration import Behavior, Distribution, from_inventory
from keyfront.diagnosis.explaining import explain
from keyfront.diagnosis.responses import Response
from keyfront.diagnosis.search import Budget
from keyfront.diagnosis.values import Answer, Finding, Lineup, Report, Stage, Step, Verdict

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
