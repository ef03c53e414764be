"""Custom resources for moto's CloudFormation, and rollback of a stack when one of them fails."""

from typing import Final

RESPONSE_PATH: Final = "/cloudformation-custom-resource-response/"
"""The path of the URLs to which functions send their results. A token that nobody can guess follows it."""
