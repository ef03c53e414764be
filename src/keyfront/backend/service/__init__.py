"""The download service itself: who is asking, what they bought, and what they get. No web framework."""
