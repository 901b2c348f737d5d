"""A plugin of pytest for suites of others: the server that they name becomes ours, everything else is out of reach,
nothing is recorded or played back, and what each test came to is written down."""

import contextlib
import json
import os
import re
import socket
import time
from types import SimpleNamespace

import pytest

ORIGIN = os.environ["XOM_ORIGIN"]
REPLACED = {"http://localhost:3000": ORIGIN, "localhost:3000": ORIGIN.removeprefix("http://")}
SECRETS = json.loads(os.environ.get("XOM_REPLACED", "{}"))
NEAR = {"localhost", "127.0.0.1", "::1", None}

# How long a test waits at most where it sleeps: suites leave time for queues that this server does not have.
NAP_SECONDS_MAX = float(os.environ.get("XOM_NAP_SECS_MAX", "inf"))

outcomes = {}
sleep = time.sleep
lookup = socket.getaddrinfo


def near(host, *args, **kwargs):
    """Finds names of this machine alone, so that no test talks to a server of somebody else."""
    name = host.decode() if isinstance(host, bytes) else host
    if name not in NEAR:
        raise socket.gaierror(socket.EAI_NONAME, f"{name} is out of reach")
    return lookup(host, *args, **kwargs)


def pytest_configure(config):
    config.addinivalue_line("markers", "vcr: what is played back elsewhere is live here")
    config.addinivalue_line("markers", "block_network: nothing but this machine is reached anyway")
    socket.getaddrinfo = near
    time.sleep = lambda seconds: sleep(min(seconds, NAP_SECONDS_MAX))
    if os.environ["XOM_SUITE"] == "mastodon_py":
        lead_to_ours()


def lead_to_ours():
    """Mastodon.py's suite names server, app and tokens in its source."""
    import vcr
    from mastodon import Mastodon
    from tests.websocket_cassette import WebSocketCassette

    made = Mastodon.__init__

    def make(self, *args, **kwargs):
        kwargs = {name: replaced(value) for name, value in kwargs.items()} | {"debug_requests": False}
        made(self, *map(replaced, args), **kwargs)

    Mastodon.__init__ = make
    create = Mastodon.create_app
    Mastodon.create_app = staticmethod(
        lambda *args, **kwargs: create(*args, **{name: replaced(value) for name, value in kwargs.items()})
    )
    vcr.use_cassette = lambda *args, **kwargs: contextlib.nullcontext(SimpleNamespace())

    def live(self, path, record_mode, real_open):
        self.recording, self.open_websocket = True, real_open

    WebSocketCassette.__init__ = live
    WebSocketCassette.finish = lambda self: None


def replaced(value):
    if not isinstance(value, str):
        return value
    secret = re.fullmatch(r"__[A-Z]+_PY_TEST_([A-Z0-9_]+)", value)
    return SECRETS.get(secret[1], value) if secret else REPLACED.get(value, value)


@pytest.fixture(name="vcr")
def vcr_fixture():
    """Some tests set up the recorder that is not there."""
    return SimpleNamespace(match_on=[])


def pytest_runtest_logreport(report):
    if report.failed:
        outcome = "failed"
    elif report.when != "call" and report.passed:
        return
    else:
        outcome = "xfailed" if hasattr(report, "wasxfail") else report.outcome
    if outcomes.get(report.nodeid) != "failed":
        outcomes[report.nodeid] = outcome
        with open(os.environ["XOM_OUTCOMES"], "w", encoding="utf-8") as file:
            json.dump(outcomes, file)
