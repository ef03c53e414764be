"""Customers, items and purchases. Databases that an earlier keyfront made have these tables already."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables that are missing."""
    op.create_table(
        "customers",
        sa.Column("id", sa.String(255), primary_key=True),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("email", sa.String(255), nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "items",
        sa.Column("id", sa.String(128), primary_key=True),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("price_cents", sa.Integer, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "purchases",
        sa.Column("customer_id", sa.String(255), sa.ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("item_id", sa.String(128), sa.ForeignKey("items.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("bought_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        if_not_exists=True,
    )
    op.create_index("ix_purchases_item_id", "purchases", ["item_id"], if_not_exists=True)
