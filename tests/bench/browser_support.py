"""A headless Chromium, driven over WebDriver with nothing but urllib."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.request

DRIVER = shutil.which('chromedriver') or ''
BROWSER = shutil.which('chromium') or shutil.which('chromium-browser') or ''


def missing():
    """'' or what is not installed."""
    return '' if DRIVER and BROWSER else f'{"chromium-driver" if BROWSER else "chromium"} is not installed'


class Browser:
    """One session. A context: leaving it ends browser and driver."""

    def __init__(self):
        self.home = tempfile.mkdtemp(prefix='forklift-browser-')
        self.log = open(os.path.join(self.home, 'driver.log'), 'w+', encoding='utf-8')
        self.driver = subprocess.Popen([DRIVER, '--port=0'], stdout=self.log, stderr=self.log)
        self.session = ''
        try:
            self.base = f'http://127.0.0.1:{self._port()}'
            options = {'binary': BROWSER, 'args': [
                '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--hide-scrollbars',
                '--disable-background-networking', '--host-resolver-rules=MAP * ~NOTFOUND',
                f'--user-data-dir={os.path.join(self.home, "profile")}']}
            wanted = {'browserName': 'chrome', 'goog:chromeOptions': options}
            made = self._ask('POST', '/session', {'capabilities': {'alwaysMatch': wanted}})
            self.session = f'/session/{made["sessionId"]}'
        except Exception:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _port(self):
        """The port that the driver chose: it says so."""
        for _ in range(200):
            with open(self.log.name, encoding='utf-8') as said:
                words = said.read()
            if 'on port ' in words and 'successfully' in words:
                return int(words.rsplit('on port ', 1)[1].split('.')[0].split()[0])
            assert self.driver.poll() is None, words
            time.sleep(0.05)
        raise AssertionError(f'chromedriver did not start: {words}')

    def _ask(self, method, path, data=None):
        body = None if data is None else json.dumps(data).encode()
        request = urllib.request.Request(self.base + path, body, {'Content-Type': 'application/json'}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)['value']
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()[:2000]) from None

    def open(self, path):
        self._ask('POST', self.session + '/url', {'url': f'file://{os.path.abspath(path)}'})

    def run(self, script, *arguments):
        return self._ask('POST', self.session + '/execute/sync', {'script': script, 'args': list(arguments)})

    def _devtools(self, command, **params):
        return self._ask('POST', self.session + '/goog/cdp/execute', {'cmd': command, 'params': params})

    def be(self, width, scheme):
        """A viewport of this width, in 'light' or 'dark'."""
        self._devtools('Emulation.setDeviceMetricsOverride', width=width, height=900, deviceScaleFactor=1, mobile=False)
        self._devtools('Emulation.setEmulatedMedia', features=[{'name': 'prefers-color-scheme', 'value': scheme}])

    def screenshot(self, path):
        """The whole page."""
        shot = self._devtools('Page.captureScreenshot', captureBeyondViewport=True)
        with open(path, 'wb') as file:
            file.write(base64.b64decode(shot['data']))

    def close(self):
        try:
            if self.session:
                self._ask('DELETE', self.session)
        finally:
            self.driver.terminate()
            self.driver.wait(10)
            self.log.close()
            shutil.rmtree(self.home, ignore_errors=True)
