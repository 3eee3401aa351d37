"""All settings, from environment variables (docs/settings.md lists them), safe when none is set.

Without DATABASE_URL the project is local: the embedded Postgres, a secret key kept in .data/, localhost only. With it,
what production needs must be given; `manage.py check` says what is missing (mlbackend/checks.py).
"""

import os
from datetime import timedelta
from pathlib import Path

import environ

from mlbackend.embedded.server import local_server
from mlbackend.local import secret_key

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env("DATA_DIR", default=str(BASE_DIR / ".data")))
LOCAL = not env("DATABASE_URL", default="")
DEBUG = env.bool("DEBUG", default=False)
HTTPS = env.bool("HTTPS", default=not LOCAL)

# Not by env(), which takes a value that begins with "$" for the name of another variable.
SECRET_KEY = os.environ.get("SECRET_KEY") or secret_key(DATA_DIR if LOCAL else None)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] if LOCAL else [])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
CSRF_FAILURE_VIEW = "mlbackend.errors.csrf_failure"

INSTALLED_APPS = [
    "mlbackend",
    "mlbackend.accounts",
    "recommendations",
    "vision",
    "reviews",
    "nlp",
    "pricing",
    "experiments",
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_filters",
    "django_tasks",
    "django_tasks_db",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "rest_framework_simplejwt.token_blacklist",
]
MIDDLEWARE = [
    "mlbackend.middleware.RequestIdMiddleware",
    "mlbackend.middleware.BodyLimitMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "mlbackend.middleware.AdminSession",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "mlbackend.middleware.AdminAuthentication",
    "mlbackend.middleware.AdminMessages",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
APPEND_SLASH = False  # a redirect would turn a POST into a GET and lose its body
ROOT_URLCONF = "mlbackend.urls"
WSGI_APPLICATION = "mlbackend.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES = {
    "default": {
        "ENGINE": "mlbackend.embedded",
        "NAME": env("SHOP_DB", default="shop"),
        "USER": "postgres",
        **local_server(BASE_DIR).connection(),
    }
    if LOCAL
    else env.db("DATABASE_URL")
}
DATABASES["default"] |= {
    "CONN_MAX_AGE": None,
    "TEST": {"NAME": env("TEST_DB", default="test_shop")},
}
if timeout := env.int("STATEMENT_TIMEOUT_MS", default=0):  # `web` sets it for its processes; commands may take long
    DATABASES["default"].setdefault("OPTIONS", {})["options"] = (
        f"-c statement_timeout={timeout} -c lock_timeout={timeout}"
    )
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "models": {"BACKEND": "experiments.artifacts.DurableStorage", "OPTIONS": {"location": DATA_DIR / "models"}},
}
MEDIA_ROOT = DATA_DIR / "media"
MEDIA_URL = "/media/"
HOMES = Path(env("HOMES", default=str(DATA_DIR / "homes.csv")))  # what `price` is learned from
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True  # static files come from the installed packages: no collectstatic step to forget

# The counts of the throttles: room for every caller of a window.
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 20_000}},
}

TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": []}}

WEBHOOK_URL = env("WEBHOOK_URL", default="")  # who is told what happened: experiments/webhooks.py
WEBHOOK_SECRET = env("WEBHOOK_SECRET", default="")

AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=env.int("ACCESS_TOKEN_MINUTES", default=15)),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=env.int("REFRESH_TOKEN_DAYS", default=14)),
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
    "CHECK_REVOKE_TOKEN": True,  # a changed password ends the tokens made before it
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["mlbackend.accounts.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["mlbackend.codecs.OrjsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["mlbackend.codecs.OrjsonParser"],
    "DEFAULT_THROTTLE_CLASSES": ["mlbackend.throttling.WindowThrottle"],
    "DEFAULT_THROTTLE_RATES": {
        "anon": env("THROTTLE_ANON", default="120/min"),
        "user": env("THROTTLE_USER", default="1200/min"),
        "login": env("THROTTLE_LOGIN", default="20/min"),
    },
    "NUM_PROXIES": env.int("NUM_PROXIES", default=0),
    "DEFAULT_FILTER_BACKENDS": [
        "django_filters.rest_framework.DjangoFilterBackend",
        "rest_framework.filters.SearchFilter",
        "rest_framework.filters.OrderingFilter",
    ],
    "DEFAULT_PAGINATION_CLASS": "mlbackend.pagination.Pages",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "mlbackend.errors.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Shop ML back end",
    "DESCRIPTION": "Sentiment, recommendations and the shop's own records. Errors are RFC 9457 problem+json.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "PromotionKindEnum": "experiments.models.Promotion.Kind",
        "ReviewSentimentEnum": "reviews.models.Review.Sentiment",
        "SentimentEnum": ["positive", "negative"],
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "mlbackend.openapi.add_problems",
    ],
}
UNFOLD = {
    "SITE_TITLE": "Shop ML back end",
    "SITE_HEADER": "Shop ML back end",
    "SIDEBAR": {"navigation": "mlbackend.navigation.sidebar"},
}

METRICS_TOKEN = env("METRICS_TOKEN", default="")  # who brings it reads /metrics; without it there is no such page

PREDICTION_TEXT_DAYS = env.int("PREDICTION_TEXT_DAYS", default=90)  # texts in the prediction log; 0: for ever

MAX_BODY_BYTES = env.int("MAX_BODY_BYTES", default=1_000_000)  # JSON and forms
MAX_UPLOAD_BYTES = env.int("MAX_UPLOAD_BYTES", default=8_000_000)  # multipart: pictures
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES
FILE_UPLOAD_MAX_MEMORY_SIZE = MAX_UPLOAD_BYTES  # a picture that is only looked at never touches the disk

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True

SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]  # they are asked from inside, without TLS
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=31_536_000 if HTTPS else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", default=False) else None

CONSOLE = {
    "class": "logging.StreamHandler",
    "formatter": env("LOG_FORMAT", default="plain" if LOCAL or DEBUG else "json"),
}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "mlbackend.logs.JsonFormatter"}, "plain": {"()": "mlbackend.logs.PlainFormatter"}},
    "filters": {"once_a_minute": {"()": "mlbackend.logs.OnceAMinute"}},
    "handlers": {"console": CONSOLE, "now_and_then": {**CONSOLE, "filters": ["once_a_minute"]}},
    "root": {"handlers": ["console"], "level": env("LOG_LEVEL", default="INFO").upper()},
    "loggers": {
        # Every request is one line of mlbackend.request already.
        "django.request": {"level": "ERROR"},
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        # A collector that cannot be reached and a disk that is full are met again all the time.
        "opentelemetry": {"level": "WARNING", "handlers": ["now_and_then"], "propagate": False},
        "experiments.telemetry": {"handlers": ["now_and_then"], "propagate": False},
    },
}

# Set before numpy is imported: workers x threads must not exceed the cores (`serve` starts one worker a core).
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # what TensorFlow finds on this machine is no warning
