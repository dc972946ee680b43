"""As little as a project needs."""

import os

SECRET_KEY = "for tests alone"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "shop.urls"
INSTALLED_APPS = ["shop"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
USE_TZ = True

CELERY_TASK_ALWAYS_EAGER = "CELERY_FOLDER" not in os.environ
CELERY_BROKER_URL = "filesystem://"
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "data_folder_in": os.environ.get("CELERY_FOLDER", "."),
    "data_folder_out": os.environ.get("CELERY_FOLDER", "."),
    "control_folder": os.environ.get("CELERY_FOLDER", "."),
}
