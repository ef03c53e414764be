"""Builds keyfront's Lambda functions as zip files: the same versions give the same bytes on every machine."""

from keyfront.packaging.building import Built, build
from keyfront.packaging.plan import ARCHITECTURES, EXTRAS, FUNCTIONS, PYTHONS, Plan

__all__ = ["ARCHITECTURES", "EXTRAS", "FUNCTIONS", "PYTHONS", "Built", "Plan", "build"]
