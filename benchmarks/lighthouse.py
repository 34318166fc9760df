"""Ask Lighthouse what each page of the built book costs the reader of a phone.

python -m benchmarks.lighthouse [PAGE ...]

Lighthouse comes from npm. Without names all pages are asked, and what it says is kept for the page
"How this book is checked". It slows the processor down: nothing else should run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

from bookbuild import serve
from scripts import browser

HTML = Path(__file__).parent.parent / "_build" / "html"
STORED = Path(__file__).parent / "lighthouse.json"
COLUMNS = {
    "performance": "performance",
    "accessibility": "accessibility",
    "best practices": "best-practices",
    "SEO": "seo",
}


def ask(address: str) -> dict[str, Any]:
    """Return Lighthouse's report on a page, in its profile of a phone."""
    command = ["npx", "--yes", "lighthouse", address, "--quiet", "--output=json"]
    command.append("--chrome-flags=--headless --no-sandbox --disable-gpu")
    environment = os.environ | {"CHROME_PATH": browser.require()}
    said = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    report: dict[str, Any] = json.loads(said.stdout)
    return report


def row(page: str, report: dict[str, Any]) -> dict[str, str | int]:
    """Return what the table shows: four scores of 100, and what the page transfers."""
    scores = {k: round(100 * report["categories"][v]["score"]) for k, v in COLUMNS.items()}
    kilobytes = round(report["audits"]["total-byte-weight"]["numericValue"] / 1000)
    return {"page": page, **scores, "kB": kilobytes}


def main(names: list[str]) -> None:
    """Ask for the pages named, or for all, and print a line for each."""
    pages = sorted(path.relative_to(HTML) for path in HTML.rglob("*.html"))
    rows = []
    with serve.server(HTML) as httpd:
        Thread(target=httpd.serve_forever, daemon=True).start()
        for page in pages:
            if names and page.stem not in names:
                continue
            report = ask(f"http://localhost:{httpd.server_port}/{page.as_posix()}")
            rows.append(row(page.stem, report))
            print(rows[-1], flush=True)
        httpd.shutdown()
    if not names:
        version, date = report["lighthouseVersion"], datetime.now(UTC).date().isoformat()
        lines = ",\n".join(f"  {json.dumps(each)}" for each in rows)
        text = f'{{\n "version": "{version}",\n "date": "{date}",\n "pages": [\n{lines}\n ]\n}}\n'
        STORED.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
