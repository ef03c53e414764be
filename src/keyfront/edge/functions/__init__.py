"""CloudFront Functions at the edge: JavaScript between the viewer and the cache.

The engine is quickjs-ng, in a process of its own. The engine's time limit stops JavaScript, but not all of the
engine's own C code (`Array(1e8).join()` runs nine seconds), so the system limits the processor time of each run, too,
and a process that ended is replaced. Measured on two busy cores with Python 3.11, for a rewrite of `uri` with eight
headers:

| package         | one call | new context | its own C code is stopped | wheels               |
| --------------- | -------- | ----------- | ------------------------- | -------------------- |
| quickjs-ng 0.17 | 0.04 ms  | 0.25 ms     | no                        | 3.10+, all systems   |
| mini-racer 0.14 | 2.5 ms   | 300 ms      | after 0.2 s               | none for Linux, Arm  |
| quickjs-rs 0.2  |          | 6 s         |                           | all systems          |
| quickjs 1.19    |          |             | no                        | none for Python 3.13 |

pythonmonkey (61 MB) and dukpy (an engine without `async`) were not measured.
"""
