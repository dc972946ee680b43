"""Make `client_support.json` from caniemail's data: what LMX can ask for, and which programs do not show it.

Usage: `python -m tools.client_support FILE`, where FILE is `caniemail.json` of the npm package `caniemail`.
"""

import json
import sys
from pathlib import Path
from typing import Any

from loopwright.server.mail.clients import DATA, FEATURES


def summary(source: dict[str, Any]) -> dict[str, Any]:
    """The features that we use, each with the programs whose newest version lacks it."""
    by_slug = {feature["slug"]: feature for feature in source["data"]}
    names = source["nicenames"]
    return {
        "source": "caniemail.com, by way of the npm package caniemail 1.0.5 (MIT licence, beside this file)",
        "date": source["last_update_date"][:10],
        "lacking": {slug: _lacking(by_slug[slug]["stats"], names) for slug in sorted(FEATURES)},
    }


def _lacking(stats: dict[str, Any], names: dict[str, Any]) -> list[str]:
    return sorted(
        f"{names['family'].get(family, family)} ({names['platform'].get(platform, platform)})"
        for family, platforms in stats.items()
        for platform, versions in platforms.items()
        if list(versions.values())[-1].startswith("n")
    )


if __name__ == "__main__":
    found = summary(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    DATA.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
