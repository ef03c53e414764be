"""What `Rotation.advance` returns: a step that was done, something to wait for, or the end."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """A step was done."""

    text: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing can be done before `until` (seconds since the epoch)."""

    text: str
    until: float


@dataclass(frozen=True, slots=True)
class Done:
    """The rotation, or its undoing, is over."""

    text: str


Outcome = Step | Wait | Done
