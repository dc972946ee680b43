"""What a client of servers on loopback needs of TLS: nothing."""

import httpx2

NO_TLS = httpx2.create_ssl_context(verify=False)
"""As a client's `verify`: else each client reads the authorities of the system, for 15 ms."""
