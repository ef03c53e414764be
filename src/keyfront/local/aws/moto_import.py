"""Import moto without a second of work that nothing here needs at the start."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any, Final


class _Machines:
    """Stands for the resources of moto's EC2, and imports it when one is looked up."""

    def __getitem__(self, account: str) -> Any:
        return import_module("moto.ec2").ec2_backends[account]


class _InvalidDocumentError(Exception):
    """An OpenAPI document is wrong; `message` says why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def _validate(document: Any) -> None:
    from openapi_spec_validator import validate
    from openapi_spec_validator.validation.exceptions import OpenAPIValidationError

    try:
        validate(document)
    except OpenAPIValidationError as error:
        raise _InvalidDocumentError(error.message) from None


_STAND_INS: Final[Mapping[str, Mapping[str, object]]] = {
    # moto's SSM imports EC2 to find the instances of a command. It reads the types of all instances in all regions
    # when it is imported.
    "moto.ec2": {"ec2_backends": _Machines()},
    # moto's API Gateway imports a validator, with pydantic, to check the OpenAPI document of a REST API.
    "openapi_spec_validator": {"validate": _validate},
    "openapi_spec_validator.validation.exceptions": {"OpenAPIValidationError": _InvalidDocumentError},
}


@contextmanager
def lightly() -> Iterator[None]:
    """Let modules that import moto's EC2 or its validator of APIs here get them when they first use them.

    Afterwards everybody else gets the real ones.
    """
    made = {name: _module(name, names) for name, names in _STAND_INS.items() if name not in sys.modules}
    sys.modules |= made
    try:
        yield
    finally:
        for name, stand_in in made.items():
            del sys.modules[name]
            # The import system also keeps a module in its package.
            package, _, own = name.rpartition(".")
            vars(sys.modules.get(package, stand_in)).pop(own, None)


def _module(name: str, names: Mapping[str, object]) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(names)
    return module
