"""What students answered, worked out from evidence once."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "answers",
        sa.Column("evidence", sa.String(), nullable=False),
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("layout", sa.String(), nullable=False),
        sa.Column("outline", sa.String(), nullable=False),
        sa.Column("sketch", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("evidence", "part"),
    )


def downgrade() -> None:
    op.drop_table("answers")
