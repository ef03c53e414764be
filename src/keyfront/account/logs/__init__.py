"""Answers from access logs: who used which key, why viewers were refused, and who shares links.

The logic is SQL in `sql/`. DuckDB runs it in this process; Athena and Spark run the same views (see `dialect.py`).
"""
