"""What is done beside the requests."""

import os

from celery import Celery

from loopwright import Loops

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
celery = Celery("shop")
celery.config_from_object("django.conf:settings", namespace="CELERY")


@celery.task
def greet(email):
    """Tell that somebody signed up; LOOPS_API_KEY and LOOPS_BASE_URL say whom."""
    with Loops() as loops:
        loops.events.send("signup", email=email)
