"""How a script runs its SQL."""

from alembic import op


def run(sql: str) -> None:
    """Run `sql`, several statements at once, on the driver's own connection and in Alembic's transaction."""
    connection = op.get_bind().connection.driver_connection
    adapted = op.get_bind().connection.dbapi_connection
    assert connection is not None
    assert adapted is not None
    adapted.run_async(lambda driver: driver.execute(sql))
