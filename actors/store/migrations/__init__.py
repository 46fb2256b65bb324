"""The database's schema, step by step (Alembic). A step that was released is never changed; another one follows."""

import sqlalchemy
from alembic import command
from alembic.config import Config

LOCK = 0x4865646765_01
"""Advisory lock: two processes that start together do not both migrate."""


def migrate(connection: sqlalchemy.Connection) -> None:
    """Brings the schema to the newest step, in one transaction of its own."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "actors.store:migrations")
    config.set_main_option("path_separator", "os")
    with connection.begin():
        connection.execute(sqlalchemy.select(sqlalchemy.func.pg_advisory_xact_lock(LOCK)))
        command.upgrade(config, "head")
