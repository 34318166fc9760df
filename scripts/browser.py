"""Find a Chromium for the tests and the PDF, or install one.

python -m scripts.browser

Runs with a bare Python, so that `make test` knows what is missing before it installs anything else.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# Where Playwright's own installer puts it, on Linux, macOS and Windows.
CACHES = (
    "~/.cache/ms-playwright",
    "~/Library/Caches/ms-playwright",
    "~/AppData/Local/ms-playwright",
)
BUILDS = ("chrome-linux*/chrome", "chrome-mac*/*.app/Contents/MacOS/*", "chrome-win*/chrome.exe")
APT = "apt-get update -qq && apt-get install -y -qq chromium"
ADVICE = f"No Chromium. Type: sudo sh -c '{APT}', or name yours: make BROWSER=/path/to/chromium"


def find() -> str | None:
    """Return the path of a browser: the one that BROWSER_PATH names, or one that is installed."""
    if named := os.environ.get("BROWSER_PATH"):
        if not shutil.which(named):
            raise SystemExit(f"BROWSER_PATH names no program: {named}")
        return named
    folders = [Path(folder).expanduser() for folder in CACHES]
    if "PLAYWRIGHT_BROWSERS_PATH" in os.environ:
        folders.insert(0, Path(os.environ["PLAYWRIGHT_BROWSERS_PATH"]))
    cached = (f for folder in folders for b in BUILDS for f in folder.glob(f"chromium-*/{b}"))
    return next(filter(None, map(shutil.which, NAMES)), None) or next(map(str, cached), None)


def require() -> str:
    """Return the path of a browser, or stop with a line that says what to type."""
    if path := find():
        return path
    raise SystemExit(ADVICE)


def install() -> None:
    """Install one with the system's package manager or with Playwright's own installer."""
    if shutil.which("apt-get") and getattr(os, "geteuid", lambda: 1)() == 0:
        subprocess.run(APT, shell=True, stdout=subprocess.DEVNULL)
    else:
        with tempfile.TemporaryDirectory() as folder:
            pip = [sys.executable, "-m", "pip", "install", "-q", "--target", folder, "playwright"]
            playwright = [sys.executable, "-m", "playwright", "install", "chromium"]
            if subprocess.run(pip, stderr=subprocess.DEVNULL).returncode == 0:
                environment = os.environ | {"PYTHONPATH": folder}
                subprocess.run(playwright, env=environment, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    if find() is None:
        print("No Chromium: installing one.", flush=True)
        install()
    print(require())
