"""The web process. Models are loaded here, in each worker after it was started, never before a fork."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlbackend.settings")
application = get_wsgi_application()

from experiments import serving  # noqa: E402  (needs the apps to be ready)
from mlbackend.processes import end_with_parent  # noqa: E402

end_with_parent()  # a killed server leaves no worker behind that keeps its port
serving.start(jobs=False)
