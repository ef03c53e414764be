"""Listeners, connections and shutdown of servers, and the rule that says who may use a local port."""
