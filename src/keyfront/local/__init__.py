"""Everything on one machine: the AWS endpoint, the edge, the backend, and the content that they serve."""
