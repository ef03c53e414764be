"""Import moto without a second of work that nothing here needs."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any, Final

_EC2: Final = "moto.ec2"


class _Later:
    """Stands for the resources of moto's EC2, and imports it when one is looked up."""

    def __getitem__(self, account: str) -> Any:
        return import_module(_EC2).ec2_backends[account]


@contextmanager
def without_ec2() -> Iterator[None]:
    """Let modules that import moto's EC2 here get it when they first use it.

    moto's SSM imports it to find the instances of a command. It reads the types of all instances in all regions when it
    is imported, a third of the time that `keyfront up` needs to start. Afterwards everybody else gets the real one.
    """
    if _EC2 in sys.modules:
        yield
        return
    stand_in = ModuleType(_EC2)
    vars(stand_in)["ec2_backends"] = _Later()
    sys.modules[_EC2] = stand_in
    try:
        yield
    finally:
        del sys.modules[_EC2]
        # The import system also keeps a module in its package.
        vars(sys.modules.get("moto", stand_in)).pop("ec2", None)
