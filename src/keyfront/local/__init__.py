"""One machine with everything on it: the AWS endpoint, the edge, the backend and what they serve."""
