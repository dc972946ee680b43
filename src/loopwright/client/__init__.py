"""The SDK: typed methods in, HTTP requests out, typed answers or errors back.

Reads the environment (key, base URL, proxies) when a client is made; writes nothing but its log.
Hands requests on to a transport. Decisions are pure (`call`, `retry`, `pacing`, `answer`), colours are thin.
"""
