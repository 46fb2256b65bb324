"""What stood behind the ticks that were dealt on: the quotes of all LPs, used and dropped."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
CREATE TABLE tick_quotes (
    symbol text NOT NULL,
    seq bigint NOT NULL,
    place integer NOT NULL,
    lp text NOT NULL,
    bid numeric(20, 8) NOT NULL,
    ask numeric(20, 8) NOT NULL,
    bid_size numeric(20, 8) NOT NULL,
    ask_size numeric(20, 8) NOT NULL,
    venue_time_ns bigint NOT NULL,
    received_ns bigint NOT NULL,
    venue_seq bigint NOT NULL,
    dropped text,
    judged_ns bigint NOT NULL,
    PRIMARY KEY (symbol, seq, place)
);
COMMENT ON TABLE tick_quotes IS
    'The LPs'' quotes behind each tick that was dealt on. dropped: why one was not used; null where it was.';
""")


def downgrade() -> None:
    op.execute("DROP TABLE tick_quotes")
