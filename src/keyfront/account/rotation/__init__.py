"""Replaces a signing key step by step. No request with a valid signature is refused meanwhile."""

from keyfront.account.rotation.account import Account
from keyfront.account.rotation.ledger import Ledger
from keyfront.account.rotation.outcomes import Done, Outcome, Step, Wait
from keyfront.account.rotation.probing import Probe, probe_target
from keyfront.account.rotation.rotation import Rotation
from keyfront.account.rotation.state import NewKey, Phase, Plan, State

__all__ = [
    "Account",
    "Done",
    "Ledger",
    "NewKey",
    "Outcome",
    "Phase",
    "Plan",
    "Probe",
    "Rotation",
    "State",
    "Step",
    "Wait",
    "probe_target",
]
