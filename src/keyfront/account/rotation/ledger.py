"""A rotation's state: SSM parameters of the account, so that any machine can continue the rotation.

- `/keyfront/rotation/GROUP` is the state. It is a SecureString, because it holds the new private key until the switch.
- `…/GROUP/previous` is the document that was replaced, kept while the rotation can be undone.
- `…/GROUP/lease/N` names the process that works on the rotation.

A parameter can be created only once, so only one process gets lease N. If the newest lease has expired, a process takes
the next number. Before each step the holder checks that it still has the newest lease.
"""

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from keyfront.account.rotation.state import State
from keyfront.errors import KeyfrontError, ServiceError
from keyfront.keystore.services import asked

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

LEASE_SECONDS: Final = 120
_ROOT: Final = "/keyfront/rotation"
_MOST_CHARACTERS: Final = 4096


class BusyError(KeyfrontError):
    """Another process is working on this rotation."""


class Ledger:
    """The parameters of one group's rotation, and the lease of one worker."""

    def __init__(self, ssm: "SSMClient", group: str, *, holder: str, clock: Callable[[], float] = time.time) -> None:
        """`holder` names this worker, such as a host and a process. `clock` returns seconds since the epoch."""
        self._ssm = ssm
        self.name = f"{_ROOT}/{group}"
        self._holder = holder
        self._clock = clock
        self._lease: int | None = None

    # The state and the replaced document

    def read(self) -> State | None:
        """Return the current rotation; `None` if there is none."""
        text = self._get(self.name)
        return None if text is None else State.from_json(text, f"SSM parameter {self.name}")

    def begin(self, state: State) -> None:
        """Store a new rotation. Raises `BusyError` if there is one already."""
        if not self._create(self.name, state.to_json()):
            raise BusyError(f"a rotation of this group has already begun: SSM parameter {self.name} holds it")

    def write(self, state: State) -> None:
        """Store the rotation's progress. Raises `BusyError` if another process has taken over."""
        self.hold()
        self._put(self.name, state.to_json())

    def keep_previous(self, document: str) -> None:
        """Keep the text of the document that will be replaced, unless one is kept already."""
        self._create(f"{self.name}/previous", document)

    def previous(self) -> str | None:
        """Return the document that was replaced."""
        return self._get(f"{self.name}/previous")

    def end(self) -> None:
        """Delete the rotation and its lease."""
        self.hold()
        # The state goes last: after a kill between the two, the next process still finds the rotation.
        self._delete(f"{self.name}/previous")
        self._delete(self.name)
        if self._lease is not None:
            self._delete(self._lease_name(self._lease))
        self._lease = None

    # The lease

    def take(self) -> None:
        """Take the lease. Raises `BusyError`, which names its holder."""
        if self._lease is not None:
            return self.hold()
        newest = self._newest()
        held = self._get(self._lease_name(newest)) if newest else None
        if held is not None:
            other = json.loads(held)
            if other["until"] > self._clock():
                raise BusyError(
                    f"{other['holder']} is working on this rotation; if it has died, try again in "
                    f"{other['until'] - self._clock():.0f} s"
                )
        if not self._create(self._lease_name(newest + 1), self._terms()):
            raise BusyError("another process has just begun to work on this rotation: try again")
        self._lease = newest + 1
        for old in range(max(1, newest - 5), newest + 1):
            self._delete(self._lease_name(old))
        return None

    def hold(self) -> None:
        """Renew the lease. Raises `BusyError` if another process has taken over."""
        if self._lease is None:
            return self.take()
        if self._newest() != self._lease:
            self._lease = None
            raise BusyError("another process has taken over this rotation")
        self._put(self._lease_name(self._lease), self._terms())
        return None

    def release(self) -> None:
        """Give up the lease, so that other processes can continue at once."""
        if self._lease is not None and self._newest() == self._lease:
            # Not deleted: the number must not be used twice during the rotation.
            self._put(self._lease_name(self._lease), json.dumps({"holder": self._holder, "until": 0}))
        self._lease = None

    def _terms(self) -> str:
        return json.dumps({"holder": self._holder, "until": self._clock() + LEASE_SECONDS})

    def _lease_name(self, number: int) -> str:
        return f"{self.name}/lease/{number}"

    def _newest(self) -> int:
        """Return the number of the newest lease; 0 if there is none."""
        pages = self._ssm.get_paginator("get_parameters_by_path").paginate(Path=f"{self.name}/lease")
        names = asked(
            f"SSM parameters below {self.name}/lease",
            "ssm:GetParametersByPath",
            lambda: [each["Name"] for page in pages for each in page["Parameters"]],
        )
        return max((int(name.rpartition("/")[2]) for name in names), default=0)

    # Parameters

    def _get(self, name: str) -> str | None:
        ssm = self._ssm

        def get() -> str | None:
            try:
                return ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
            except ssm.exceptions.ParameterNotFound:
                return None

        return asked(f"SSM parameter {name}", "ssm:GetParameter", get)

    def _create(self, name: str, value: str) -> bool:
        """Create a parameter. Return false if it exists already."""
        ssm = self._ssm
        _check_size(name, value)

        def create() -> bool:
            try:
                ssm.put_parameter(Name=name, Value=value, Type="SecureString", Overwrite=False)
            except ssm.exceptions.ParameterAlreadyExists:
                return False
            return True

        return asked(f"SSM parameter {name}", "ssm:PutParameter", create)

    def _put(self, name: str, value: str) -> None:
        _check_size(name, value)
        asked(
            f"SSM parameter {name}",
            "ssm:PutParameter",
            lambda: self._ssm.put_parameter(Name=name, Value=value, Type="SecureString", Overwrite=True),
        )

    def _delete(self, name: str) -> None:
        ssm = self._ssm

        def delete() -> None:
            try:
                ssm.delete_parameter(Name=name)
            except ssm.exceptions.ParameterNotFound:
                return

        asked(f"SSM parameter {name}", "ssm:DeleteParameter", delete)


def rotating(ssm: "SSMClient") -> list[str]:
    """Return the ids of the key groups with a rotation in progress."""
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path=_ROOT)
    return asked(
        f"SSM parameters below {_ROOT}",
        "ssm:GetParametersByPath",
        lambda: sorted(each["Name"].rpartition("/")[2] for page in pages for each in page["Parameters"]),
    )


def _check_size(name: str, value: str) -> None:
    if len(value) > _MOST_CHARACTERS:
        raise ServiceError(f"SSM parameter {name} would be over {_MOST_CHARACTERS:,} characters: give shorter options")
