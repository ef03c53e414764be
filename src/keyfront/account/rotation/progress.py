"""How far a rotation has come, in words, and when its next step can be done."""

from dataclasses import dataclass
from typing import Final

from keyfront.account.rotation.state import Phase, State

ORDER: Final = tuple(Phase)


@dataclass(frozen=True, slots=True)
class Reached:
    """One phase of a rotation, and whether the rotation has come that far."""

    phase: Phase
    words: str
    is_done: bool


def phases(state: State) -> tuple[Reached, ...]:
    """Return the phases of a rotation in their order."""
    words = {
        Phase.BEGUN: "the new key exists",
        Phase.UPLOADED: f"its public key is uploaded{f' as {state.new_id}' if state.new_id else ''}",
        Phase.ADDED: f"it is in key group {state.plan.group}",
        Phase.PROVED: "the edge locations accept its signatures",
        Phase.SWITCHED: f"the signers ({state.plan.signer}) sign with it",
        Phase.REMOVED: f"{state.old_id} is removed from the group",
    }
    come = ORDER.index(state.phase)
    return tuple(Reached(phase, words[phase], number <= come) for number, phase in enumerate(ORDER))


def next_at(state: State) -> float | None:
    """Return from when the next step can be done, in seconds since the epoch; `None` if nothing needs to be awaited."""
    match state.phase:
        case Phase.ADDED if state.added_at is not None:
            return state.added_at + state.plan.propagation
        case Phase.SWITCHED:
            # Access logs decide what comes after that.
            return state.unused_at if state.plan.logs else state.removable_at
        case _:
            return None


def awaited(state: State) -> str:
    """Return what the next step waits for."""
    match state.phase:
        case Phase.ADDED:
            return "the edge locations are learning of the new key"
        case Phase.SWITCHED:
            return f"the links that {state.new_id if state.back else state.old_id} signed must expire"
        case _:
            return "nothing: it can be done now"
