"""Compare keyfront with its peers: `python -m benchmarks`, or `make bench`. See README.md."""
