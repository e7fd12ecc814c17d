"""Regrades that workers preview: a queue, a lease, and whether to apply at the end."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("regrades") as table:
        table.add_column(sa.Column("queue", sa.String(), nullable=True))
        table.add_column(sa.Column("message_at", sa.Float(), nullable=True))
        table.add_column(sa.Column("owner", sa.String(), nullable=True))
        table.add_column(sa.Column("lease_until", sa.Float(), nullable=False, server_default="0"))
        table.add_column(sa.Column("claims", sa.Integer(), nullable=False, server_default="0"))
        table.add_column(sa.Column("then_apply", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    with op.batch_alter_table("regrades") as table:
        for name in ("then_apply", "claims", "lease_until", "owner", "message_at", "queue"):
            table.drop_column(name)
