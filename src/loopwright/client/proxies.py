"""Which proxy the environment asks for. Pure: the environment comes in as a mapping."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit


def proxy_for(url: str, environment: Mapping[str, str]) -> str | None:
    """The proxy for `url` from `https_proxy`, `http_proxy` and `all_proxy`, unless `no_proxy` names the host.

    Lower-case names win over upper-case ones. `HTTP_PROXY` is not read where a web server set
    `REQUEST_METHOD`, because there it is a header that anybody can send.
    """
    parts = urlsplit(url)
    proxy = _read(f"{parts.scheme}_proxy", environment) or _read("all_proxy", environment)
    if not proxy or _excluded(parts.hostname or "", parts.port, _read("no_proxy", environment)):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _read(name: str, environment: Mapping[str, str]) -> str:
    if name == "http_proxy" and "REQUEST_METHOD" in environment:
        return environment.get(name, "")
    return environment.get(name) or environment.get(name.upper(), "")


def _excluded(host: str, port: int | None, rules: str) -> bool:
    """Whether a comma-separated `no_proxy` names the host, a domain above it, or everything."""
    for rule in (part.strip().lower() for part in rules.split(",")):
        if rule == "*":
            return True
        name, _, rule_port = rule.rpartition(":") if rule.count(":") == 1 else (rule, "", "")
        name = name.strip("[]").removeprefix("*").lstrip(".")
        if name and (host == name or host.endswith(f".{name}")) and rule_port in ("", str(port)):
            return True
    return False
