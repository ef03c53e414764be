"""Import moto without a second of work that nothing here needs."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.session import Session


@contextmanager
def without_ec2_model() -> Iterator[None]:
    """Let botocore answer for EC2 without its API model, 3 MB of packed JSON.

    moto imports its EC2 with its SSM, and its EC2 lists all regions when it is imported. For each of the three
    partitions, botocore then reads the whole model to learn one word: the prefix of EC2's endpoints.
    """
    whole = Session.get_service_data

    def light(session: Session, service_name: str, api_version: str | None = None) -> Any:
        if service_name == "ec2":
            return {"metadata": {"endpointPrefix": "ec2"}}
        return whole(session, service_name, api_version)

    Session.get_service_data = light  # type: ignore[assignment,method-assign]
    try:
        yield
    finally:
        Session.get_service_data = whole  # type: ignore[method-assign]
