"""Django's PostgreSQL engine over the project's own server, which comes up with the first connection of any process.

So no command has to start it: a connection that fails, on a fresh machine or after a kill, brings it up and is tried
once more. `ENGINE = "mlbackend.embedded"`; the server is the one of `settings.BASE_DIR`.
"""

from typing import Any

import psycopg2
from django.conf import settings
from django.db.backends.postgresql import base

from mlbackend.embedded.server import local_server
from mlbackend.embedded.system import EmbeddedPostgresError


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        server = local_server(settings.BASE_DIR)
        try:
            server.hold()
            try:
                return super().get_new_connection(conn_params)
            except psycopg2.OperationalError:
                server.ensure()
                return super().get_new_connection(conn_params)
        except (EmbeddedPostgresError, OSError) as error:
            raise psycopg2.OperationalError(str(error)) from error
