# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The page, clicked through in a real browser without a window."""

import json
import os
import shutil
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from mmfmwsss.utils import UserInputError
from mmfmwsss.workshop.app import (
    PageActions,
    TaggingSession,
    build_page,
    launch_page,
)

gradio = pytest.importorskip('gradio', reason='needs requirements/app.txt')
webdriver = pytest.importorskip('selenium.webdriver', reason='needs selenium')
CHROMIUM = shutil.which('chromium')
DRIVER = shutil.which('chromedriver')
needs_browser = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None,
    reason='needs chromium and chromedriver',
)
FLAGS = [
    *('--headless', '--no-sandbox', '--disable-gpu', '--disable-quic'),
    *('--no-first-run', '--disable-background-networking'),
    *('--disable-component-update', '--disable-sync'),
    '--window-size=1500,1400',
]


class Browser:
    """A page, by the ids of its components."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def find(self, css: str) -> Any:
        return self.driver.find_element('css selector', css)

    def text(self, name: str) -> str:
        return self.find(f'#{name}').text

    def until(self, condition: Callable[[], Any], seconds: float = 60) -> Any:
        from selenium.common.exceptions import WebDriverException

        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if found := condition():
                    return found
            except WebDriverException:  # not there yet, or drawn anew
                pass
            time.sleep(0.1)
        raise AssertionError(f'never seen; status: {self.text("status")!r}')

    def requests(self) -> list[str]:
        """Addresses that the page asked for."""
        events = [
            json.loads(entry['message'])['message']
            for entry in self.driver.get_log('performance')
        ]
        return [
            event['params']['request']['url']
            for event in events
            if event['method'] == 'Network.requestWillBeSent'
        ]


@pytest.fixture
def address(
    session: TaggingSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    out = tmp_path / 'out'
    monkeypatch.setenv('GRADIO_TEMP_DIR', str(out))
    page = build_page(PageActions(session, out, 'tiny'))
    yield launch_page(page, None, open_browser=False)
    page.close()


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f'--user-data-dir={tmp_path / "profile"}'):
        options.add_argument(flag)
    options.set_capability('goog:loggingPrefs', {'performance': 'ALL'})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield Browser(driver)
    driver.quit()


def test_the_page_is_for_this_computer_only(address: str) -> None:
    assert urlsplit(address).hostname == '127.0.0.1'
    assert os.environ['GRADIO_ANALYTICS_ENABLED'] == 'False'


def test_a_port_that_is_taken_is_named(
    address: str, session: TaggingSession, tmp_path: Path
) -> None:
    page = build_page(PageActions(session, tmp_path, 'tiny'))
    port = urlsplit(address).port
    with pytest.raises(UserInputError, match=f'Expected a free port.*{port}'):
        launch_page(page, port, open_browser=False)


@needs_browser
def test_drop_tag_click_correct_and_pack(
    address: str,
    browser: Browser,
    session: TaggingSession,
    drawings: list[tuple[Path, list[str]]],
    tmp_path: Path,
) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    # Drop two drawings and a file that is none
    broken = tmp_path / 'broken.jpg'
    broken.write_bytes(b'no picture')
    browser.driver.get(address)
    files = browser.until(lambda: browser.find('#drop input[type=file]'))
    paths = [*(path for path, _ in drawings), broken]
    files.send_keys('\n'.join(map(str, paths)))
    browser.until(lambda: '2 photos added' in browser.text('status'))
    assert 'broken.jpg' in browser.text('status')
    assert browser.text('title') == drawings[0][0].name
    # Tag the first, wrongly
    browser.find('#tags textarea, #tags input').send_keys('cat')
    browser.find('#segment').click()
    browser.until(lambda: 'of the photo' in browser.text('status'))
    assert browser.text('status').startswith('cat ')
    wrong = browser.find('#picture img').get_attribute('src')
    # Click into the middle: the reason agrees with the session
    middle = browser.find('#picture img')
    ActionChains(browser.driver).move_to_element(middle).click().perform()
    browser.until(
        lambda: (
            'Eq. 8' in browser.text('reason')
            or 'No mask' in browser.text('reason')
        )
    )
    # Correct the tag: SAM does not run again
    box = browser.find('#tags textarea, #tags input')
    box.send_keys(Keys.CONTROL, 'a')
    box.send_keys(', '.join(drawings[0][1]), Keys.ENTER)
    first = drawings[0][1][0]
    browser.until(lambda: browser.text('status').startswith(first))
    assert 'features' not in browser.text('status')
    assert browser.find('#picture img').get_attribute('src') != wrong
    assert session.folder.classes == tuple(drawings[0][1])
    # Choose the other photo and tag it
    browser.driver.find_elements('css selector', '#photos .thumbnail-item')[
        1
    ].click()
    browser.until(lambda: browser.text('title') == drawings[1][0].name)
    browser.find('#tags textarea, #tags input').send_keys(
        ', '.join(drawings[1][1]), Keys.ENTER
    )
    browser.until(lambda: browser.text('status').startswith(drawings[1][1][0]))
    assert len(session.folder.finished) == 2
    # Pack both
    browser.find('#pack').click()
    browser.until(lambda: '2 photos packed' in browser.text('status'))
    link = browser.until(lambda: browser.find('#archive a[download]'))
    assert link.get_attribute('href').startswith(address)
    with zipfile.ZipFile(tmp_path / 'out' / 'my_photos.zip') as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) == 9
    # Nothing was asked of any other computer
    hosts = {
        urlsplit(url).hostname
        for url in browser.requests()
        if url.startswith(('http', 'ws'))
    }
    assert hosts == {'127.0.0.1'}
