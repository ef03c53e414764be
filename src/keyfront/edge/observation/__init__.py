"""Observation of the edge: a log of decisions, access logs in CloudFront's format, and metrics."""

from keyfront.edge.observation.desk import Desk
from keyfront.edge.observation.record import Observer, Record

__all__ = ["Desk", "Observer", "Record"]
