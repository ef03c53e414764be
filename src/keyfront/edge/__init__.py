"""The data plane: from an HTTP request to a decision, a cache and an origin.

A request passes through a line of phases in one direction: route, admit, authorise, look up, fetch, respond.
"""
