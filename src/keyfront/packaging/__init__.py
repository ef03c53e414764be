"""A function of keyfront's as a zip file for Lambda: the same bytes from the same versions, on whatever machine."""

from keyfront.packaging.building import Built, build
from keyfront.packaging.plan import ARCHITECTURES, EXTRAS, FUNCTIONS, PYTHONS, Plan

__all__ = ["ARCHITECTURES", "EXTRAS", "FUNCTIONS", "PYTHONS", "Built", "Plan", "build"]
