"""`env:NAME`: a document or a PEM in an environment variable."""

import os
from collections.abc import Mapping

from keyfront.keystore.source import MissingError, Opening


class EnvironmentVariable:
    """A variable of this process. Other processes of this user can see it, so let KMS wrap the key in it."""

    def __init__(self, variable: str, environment: Mapping[str, str] | None = None) -> None:
        self._variable = variable
        self._environment = os.environ if environment is None else environment
        self.name = f"the environment variable {variable}"

    @classmethod
    def open(cls, name: str, opening: Opening) -> "EnvironmentVariable":  # noqa: ARG003  every kind's signature
        """Return the variable `name`."""
        return cls(name)

    def read(self) -> str:
        """Return the variable's text. Raises `MissingError` if it is not set."""
        text = self._environment.get(self._variable, "")
        if not text.strip():
            raise MissingError(f"{self.name} is not set: set it to a private key in PEM, or to a signer's document")
        return text
