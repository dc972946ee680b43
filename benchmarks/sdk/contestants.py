"""One contestant in a process of its own: makes its calls, prints what they cost as a line of JSON.

    python contestants.py NAME WAY CALLS ADDRESS

WAY is `sequential` or `crowd` (64 in flight: tasks where the contestant is asynchronous, else threads).
ADDRESS is the server's, without a path. Runs with the peers' interpreter and imports nothing of the project
but its SDK.
"""

import asyncio
import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

IN_FLIGHT = 64
WARM_UP = 100

BODY = {
    "eventName": "signup",
    "email": "ada@example.com",
    "eventProperties": {"plan": "pro", "seats": 3, "trial": False},
    "firstName": "Ada",
}
KEY = "0123456789abcdef0123456789abcdef"
HEADERS = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
EVENT = {
    "email": "ada@example.com",
    "properties": {"plan": "pro", "seats": 3, "trial": False},
    "contact": {"firstName": "Ada"},
}


# Each returns a function that makes one call; an asynchronous one is a coroutine function.


def loopwright(address):
    from loopwright import Loops

    client = Loops(KEY, base_url=address)
    return lambda: client.events.send("signup", **EVENT)


def loopwright_fast(address):
    from loopwright import Loops

    client = Loops(KEY, base_url=address, transport="pyreqwest")
    return lambda: client.events.send("signup", **EVENT)


def loopwright_async(address):
    from loopwright import AsyncLoops

    client = AsyncLoops(KEY, base_url=address)

    async def call():
        await client.events.send("signup", **EVENT)

    return call


def loopwright_fast_async(address):
    from loopwright import AsyncLoops

    client = AsyncLoops(KEY, base_url=address, transport="pyreqwest")

    async def call():
        await client.events.send("signup", **EVENT)

    return call


def requests(address):
    """As the documentation's sample has it: no session, so a connection a call."""
    import requests

    def call():
        requests.request("POST", f"{address}/api/v1/events/send", json=BODY, headers=HEADERS).json()

    return call


def httpx2(address):
    import httpx2

    client = httpx2.Client(headers=HEADERS, limits=httpx2.Limits(max_connections=100))
    return lambda: client.post(f"{address}/api/v1/events/send", json=BODY).json()


def httpx2_async(address):
    import httpx2

    client = httpx2.AsyncClient(headers=HEADERS, limits=httpx2.Limits(max_connections=100))

    async def call():
        (await client.post(f"{address}/api/v1/events/send", json=BODY)).json()

    return call


def pyreqwest(address):
    from pyreqwest.client import SyncClientBuilder

    client = SyncClientBuilder().default_headers(HEADERS).build()
    url = f"{address}/api/v1/events/send"
    return lambda: client.post(url).body_json(BODY).build().send().json()


def pyreqwest_async(address):
    from pyreqwest.client import ClientBuilder

    client = ClientBuilder().default_headers(HEADERS).build()
    url = f"{address}/api/v1/events/send"

    async def call():
        await (await client.post(url).body_json(BODY).build().send()).json()

    return call


def loops_sdk(address):
    from loops_sdk import LoopsClient

    client = LoopsClient(KEY, api_root=f"{address}/api/")
    return lambda: client.send_event(
        event_name="signup",
        email="ada@example.com",
        contact_properties={"firstName": "Ada"},
        event_properties={"plan": "pro", "seats": 3, "trial": False},
    )


def stripe(address):
    import stripe

    client = stripe.StripeClient("sk_test_x", base_addresses={"api": address})
    params = {"email": "ada@example.com", "name": "Ada", "metadata": {"plan": "pro", "seats": "3"}}
    return lambda: client.v1.customers.create(params)


def resend(address):
    import resend

    resend.api_key, resend.api_url = "re_x", address
    params = {"from": "a@example.com", "to": ["ada@example.com"], "subject": "Hello", "text": "Hello, Ada"}
    return lambda: resend.Emails.send(params)


def svix(address):
    from svix.api import MessageIn, Svix, SvixOptions

    client = Svix("key", SvixOptions(server_url=address))
    message = MessageIn(event_type="signup", payload={"email": "ada@example.com", "plan": "pro", "seats": 3})
    return lambda: client.message.create("app", message)


def generated(address):
    sys.path.insert(0, os.environ["GENERATED"])
    from loops_api_contract_client import AuthenticatedClient
    from loops_api_contract_client.api.events import send_event

    client = AuthenticatedClient(base_url=f"{address}/api", token=KEY)
    return lambda: send_event.sync_detailed(client=client, body=BODY)


CONTESTANTS = {
    function.__name__: function
    for function in (
        loopwright, loopwright_fast, loopwright_async, loopwright_fast_async, requests, httpx2, httpx2_async,
        pyreqwest, pyreqwest_async, loops_sdk, stripe, resend, svix, generated,
    )
}  # fmt: skip


async def repeat_async(call, calls, in_flight):
    left = iter(range(calls))

    async def worker():
        for _ in left:
            await call()

    await asyncio.gather(*(worker() for _ in range(in_flight)))


def repeat(call, calls, in_flight):
    if in_flight == 1:
        for _ in range(calls):
            call()
        return
    with ThreadPoolExecutor(in_flight) as pool:
        for done in [pool.submit(call) for _ in range(calls)]:
            done.result()


def cost(wall, cpu, calls):
    """Microseconds a call since the two clocks were read; `cpu` counts all threads, user and system."""
    return {
        "wall": (time.perf_counter() - wall) / calls * 1e6,
        "cpu": (time.process_time() - cpu) / calls * 1e6,
    }


async def measure_async(make, address, calls, in_flight):
    call = make(address)
    await repeat_async(call, WARM_UP, in_flight)
    start = time.perf_counter(), time.process_time()
    await repeat_async(call, calls, in_flight)
    return cost(*start, calls)


def measure(make, address, calls, in_flight):
    call = make(address)
    repeat(call, WARM_UP, in_flight)
    start = time.perf_counter(), time.process_time()
    repeat(call, calls, in_flight)
    return cost(*start, calls)


def main(name, way, calls, address):
    in_flight = IN_FLIGHT if way == "crowd" else 1
    plain = name.removesuffix("_uvloop")
    make = CONTESTANTS[plain]
    if not plain.endswith("_async"):
        return measure(make, address, calls, in_flight)
    work = measure_async(make, address, calls, in_flight)
    if name.endswith("_uvloop"):
        import uvloop

        return uvloop.run(work)
    return asyncio.run(work)


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])), flush=True)
    os._exit(0)  # some peers crash now and then while the interpreter ends, with their clients still open
