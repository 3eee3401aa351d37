"""The Django engine of a project without DATABASE_URL: a Postgres of its own, which any process brings up by
connecting.
"""
