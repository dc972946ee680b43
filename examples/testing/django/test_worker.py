"""The task is run by a worker of Celery's, which forks for it."""

import subprocess
import sys

import pytest


@pytest.fixture
def worker(loops_env, tmp_path, monkeypatch):
    """A worker that has this test's team in its environment."""
    monkeypatch.setenv("CELERY_FOLDER", str(tmp_path))
    worker = ("worker", "--pool=prefork", "--concurrency=2", "--without-gossip", "--without-mingle")
    running = subprocess.Popen([sys.executable, "-m", "celery", "-A", "shop.tasks", *worker])
    yield
    running.terminate()
    running.wait(20)


@pytest.mark.usefixtures("worker")
def test_signup(loops_definitions, inbox):
    from shop.tasks import greet

    loops_definitions("welcome")
    greet.delay("ada@example.com")
    inbox.wait_for(to="ada@example.com", within=20)
