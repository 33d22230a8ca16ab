"""The report in a browser: nothing is asked of the network, and it fits the screens that people have."""

import shutil
from pathlib import Path

import pytest

CHROMIUM = Path("/usr/bin/chromium")
UNREACHED = """[...document.querySelectorAll('body *')].filter(e =>
  ['auto', 'scroll'].includes(getComputedStyle(e).overflowX) && e.tagName != 'PRE' &&
  !(e.tabIndex == 0 && e.getAttribute('role') == 'region' && e.getAttribute('aria-label'))).length"""


LEFT_ALONE = """(() => { const tops = [...document.querySelectorAll('.number')].map(e => e.offsetTop);
  return tops.length > 2 && tops.filter(top => top == Math.max(...tops)).length == 1; })()"""
PANNED = (
    """[...document.querySelectorAll('.pan')].filter(e => e.scrollWidth > e.clientWidth).length"""
)


@pytest.mark.browser
def test_a_browser_shows_it_without_complaint(page: Path) -> None:
    if not CHROMIUM.exists() and not shutil.which("chromium"):
        pytest.skip("Chromium is not installed")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    complaints: list[str] = []
    asked: list[str] = []
    with playwright.sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=str(CHROMIUM),
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        )
        try:
            for width, height in ((1440, 900), (1280, 720), (1024, 768), (420, 800)):
                tab = browser.new_page(viewport={"width": width, "height": height})
                tab.on("console", lambda said: complaints.append(said.text))
                tab.on("pageerror", lambda error: complaints.append(str(error)))
                tab.on("dialog", lambda dialog: complaints.append(dialog.message))
                tab.on("request", lambda request: asked.append(request.url))
                tab.goto(page.as_uri())
                wide = tab.evaluate("document.documentElement.scrollWidth")
                assert wide <= width, f"{wide} px on a screen of {width} px"
                broken = tab.evaluate("[...document.images].filter(i => !i.naturalWidth).length")
                assert broken == 0
                assert tab.evaluate(UNREACHED) == 0, "what can be scrolled has no name or no focus"
                assert tab.evaluate(PANNED) == 0, (
                    "a figure is wider than the page before it is tapped"
                )
                if width > 800:
                    assert not tab.evaluate(LEFT_ALONE), f"one number alone on a row at {width} px"
                tab.close()
        finally:
            browser.close()
    assert complaints == []
    assert all(url.startswith(("file://", "data:")) for url in asked)
