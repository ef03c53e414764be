"""Responses to the viewer: the edge's own pages, headers, and compression."""
