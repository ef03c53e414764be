"""`env:NAME`: a document or a PEM in an environment variable."""

import os
from collections.abc import Mapping

from keyfront.keystore.source import MissingError, Opening


class EnvironmentVariable:
    """A variable of this process. Other processes of this user can see it; KMS can wrap what it holds."""

    def __init__(self, variable: str, environment: Mapping[str, str] | None = None) -> None:
        self._variable = variable
        self._environment = os.environ if environment is None else environment
        self.name = f"the environment variable {variable}"

    @classmethod
    def open(cls, name: str, opening: Opening) -> "EnvironmentVariable":  # noqa: ARG003  every kind's signature
        """The variable `name`."""
        return cls(name)

    def read(self) -> str:
        """The variable's text. Raises `MissingError` if it is not set."""
        text = self._environment.get(self._variable, "")
        if not text.strip():
            raise MissingError(f"{self.name} is not set: give it a private key in PEM, or a signer's document")
        return text
