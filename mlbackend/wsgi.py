"""The web process. Models are loaded and traces begun here, in each worker after it was started, never before a
fork.
"""

import os

import django
from django.core.handlers.wsgi import WSGIHandler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlbackend.settings")
django.setup(set_prefix=False)

from experiments import serving  # noqa: E402  (needs the apps to be ready)
from mlbackend import traces  # noqa: E402
from mlbackend.processes import end_with_parent  # noqa: E402

traces.start()
application = WSGIHandler()  # reads the middleware, to which traces add
end_with_parent()  # a killed server leaves no worker behind that keeps its port
serving.start(jobs=False)
