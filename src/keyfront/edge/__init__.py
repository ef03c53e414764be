"""The data plane: from an HTTP request to a decision, a cache and an origin.

A request passes these phases in order: route, admit, geo restriction, authorise, look up, fetch, respond.
"""
