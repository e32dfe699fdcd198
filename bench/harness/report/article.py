"""The article of 2022: its thirteen endpoints as its tables name them, and its figures."""

from dataclasses import dataclass

LINE_RATE = 4500.0  # requests/s from which a figure of 258 kB a request is the line rate of 10 GbE (9.3 to 9.4 Gbit/s)
WORKERS = 40


@dataclass(frozen=True)
class Api:
    """A row of its first table. is_async: of the endpoint's function; past: (server, many) → (requests/s, average ms)."""
    name: str
    is_async: bool
    body: str
    stream: bool
    past: dict

    @property
    def words(self):
        return ['yes' if self.is_async else 'no', self.name, self.body, 'yes' if self.stream else 'no']


def _api(name, is_async, body, stream, *figures):
    """figures: uvicorn ×40, gunicorn ×40, uvicorn ×1, gunicorn ×1, as far as it has them."""
    places = (('uvicorn', True), ('gunicorn', True), ('uvicorn', False), ('gunicorn', False))
    return Api(name, is_async, body, stream, {place: pair for place, pair in zip(places, figures) if pair})


RAW, FORM, JSON, NONE = 'binary', 'form-data', 'JSON+base64', ''

APIS = (
    _api('upload/stream/async_read_and_memory_write', True, RAW, True,
         (4527.22, 19.29), (4572.33, 18.03), (823.50, 96.59), (923.78, 86.14)),
    _api('upload/stream/async_read_and_disk_write', True, RAW, True,
         (4548.93, 19.25), (4571.55, 17.66), (885.13, 89.87), (994.07, 80.17)),
    _api('upload/stream/async_read_and_async_write', True, RAW, True,
         (4169.88, 19.94), (4571.88, 17.67), (703.82, 112.99), (789.09, 100.81)),
    _api('upload/single', True, FORM, False, (2718.32, 29.36), (4313.97, 18.53), (239.01, 328.19), (249.20, 316.31)),
    _api('upload/single/sync', False, FORM, False, (2723.91, 29.41), None, (246.24, 319.79)),
    _api('upload/single/stream', True, FORM, True, (2703.74, 29.55)),
    _api('upload/single/stream/async_read_sync_write', True, FORM, True, (3441.92, 23.44)),
    _api('upload/single/stream/sync_read_sync_write', True, FORM, True, (3461.86, 23.29)),
    _api('upload/raw/json/base64decode', True, JSON, False, (3417.02, 23.46)),
    _api('download/stream/sync_read', True, NONE, True, (4543.27, 18.33)),
    _api('download/stream/async_read', True, NONE, True, (4555.05, 18.30)),
    _api('download/file', True, NONE, False, (1556.09, 51.29)),
    _api('download/file/sync', False, NONE, False, (1494.30, 53.35)),
)
BY_NAME = {api.name: api for api in APIS}

PAST_NOTE = ('2022: the article\'s figures, from another machine (40 cores, a client over 10 GbE, Python 3.9): not to be compared with '
             'ours. † is the line rate of 10 GbE: a cable was measured, not a server. All of them were made with 80 connections, not 100 '
             '(wrk gives each of 40 threads ⌊100/40⌋), in one run, with no look at errors, CPU or what was stored.')


def past(api, server, many):
    """[requests/s, average ms] in the article's own form, † where it is the line rate; dashes where it has none."""
    figures = api.past.get((server if server == 'gunicorn' else 'uvicorn', many))
    if not figures:
        return ['–', '–']
    return [f'{figures[0]:.2f}' + (' †' if figures[0] >= LINE_RATE else ''), f'{figures[1]:.2f}']
