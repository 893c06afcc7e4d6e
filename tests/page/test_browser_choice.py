"""The order in which a browser is chosen: named, on the machine, Playwright's own, Debian's package, Playwright's download."""

from pathlib import Path

import browser
import pytest


class Machine:
    """A machine on which programs appear when they are installed."""

    def __init__(self, *programs, apt=True, network=True):
        self.programs, self.apt, self.network, self.own, self.ran = set(programs), apt, network, None, []

    def which(self, name):
        return f"/usr/bin/{name}" if name in self.programs or (name == "apt-get" and self.apt) else None

    def run(self, words):
        self.ran.append(words[0] if words[0] == "apt-get" else "playwright")
        if not self.network:
            return False
        if "install" in words and words[0] == "apt-get":
            self.programs.add("chromium")
        elif words[0] != "apt-get":
            self.own = Path("/cache/chromium/chrome")
        return True

    def get(self, root=True):
        return browser.get(which=self.which, own=lambda: self.own, run=self.run, root=root)


@pytest.fixture(autouse=True)
def _unnamed(monkeypatch):
    monkeypatch.delenv(browser.VARIABLE, raising=False)


def test_what_is_there_is_taken_and_nothing_installed():
    for machine, found in [
        (Machine("chromium", "google-chrome"), "/usr/bin/chromium"),
        (Machine("google-chrome"), "/usr/bin/google-chrome"),
    ]:
        assert machine.get() == found
        assert machine.ran == []


def test_debian_may_install_it_for_root_only():
    assert Machine().get() == "/usr/bin/chromium"
    other = Machine()
    assert other.get(root=False) == "/cache/chromium/chrome"
    assert other.ran == ["playwright"]


def test_without_apt_playwright_downloads_its_own():
    machine = Machine(apt=False)
    assert machine.get() == "/cache/chromium/chrome"
    assert machine.get() == "/cache/chromium/chrome"
    assert machine.ran == ["playwright"]


def test_without_anything_it_says_what_to_do():
    with pytest.raises(browser.NoBrowserError, match=r"none is here\. Tried: apt-get install .*; playwright install chromium"):
        Machine(network=False).get()
    assert "make browser" in browser.missing()


def test_a_named_browser_must_be_there(monkeypatch, tmp_path):
    monkeypatch.setenv(browser.VARIABLE, str(tmp_path / "none"))
    with pytest.raises(browser.NoBrowserError, match="is no file"):
        Machine("chromium").get()
    (tmp_path / "none").touch()
    assert Machine("chromium").get() == str(tmp_path / "none")
