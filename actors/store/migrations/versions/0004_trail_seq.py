"""The number of the event that a trailing stop began to follow with, under its name: it is no tick's."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE orders RENAME COLUMN trail_tick_seq TO trail_seq")


def downgrade() -> None:
    op.execute("ALTER TABLE orders RENAME COLUMN trail_seq TO trail_tick_seq")
