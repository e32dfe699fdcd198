"""Whether the article's five conclusions hold here: for FastAPI, and for Forklift."""

from dataclasses import dataclass
from statistics import median

from . import figures
from .figures import Estimate, compared, estimate, number, times, values

HOLDS, FAILS, UNKNOWN = 'holds', 'does not hold', 'not measurable with these runs'
SAME = 1.1  # a ratio whose interval holds 1 and goes no further either way is as good as 1: a difference that mattered would show

_MEMORY, _DISK, _ASYNC = (f'upload/stream/async_read_and_{kind}_write' for kind in ('memory', 'disk', 'async'))
_SINGLE, _STREAM, _FORM_BLOCKING = 'upload/single', 'upload/single/stream', 'upload/single/stream/async_read_sync_write'
_STREAMED, _WHOLE = ('download/stream/sync_read', 'download/stream/async_read'), ('download/file', 'download/file/sync')
NONE_IN_RUN = 'None of them was in this run: they are about the article\'s endpoints (--article).'


@dataclass(frozen=True)
class Verdict:
    """subject: 'FastAPI' or 'Forklift'; result: HOLDS, FAILS or UNKNOWN; because: the figures, in words."""
    conclusion: str
    subject: str
    result: str
    because: str
    measured: bool = True  # whether any row of those that it's about was in the run


class Evidence:
    """The rows of one subject under one process model, by endpoint."""

    def __init__(self, report, server):
        doubted = figures.unaccounted(report)
        rows = [row for row in figures.at_reference(report) if row.cell.server == server and row.cell not in doubted]
        fleets = {}
        for row in rows:
            fleets.setdefault((row.cell.workers, row.cell.model), {})[row.cell.endpoint] = row
        # One process has the cleanest figures; a fleet serves where it was measured with more endpoints.
        key = min(fleets, key=lambda fleet: (-sum(row.state == 'ok' for row in fleets[fleet].values()), fleet), default=None)
        self.rows = fleets.get(key, {})
        self.label = figures.label(next(iter(self.rows.values())).cell) if self.rows else server

    def ratio(self, over, under, metric='cpu_us'):
        return compared(self.rows.get(over), self.rows.get(under), metric)

    def cheapest(self, names):
        """The endpoint of least CPU per request, '' when none of them is ok."""
        good = [name for name in names if name in self.rows and self.rows[name].state == 'ok']
        return min(good, key=lambda name: estimate(self.rows[name], 'cpu_us').median, default='')


def verdicts(report):
    """Five conclusions, each for FastAPI (uvicorn, else gunicorn) and for Forklift."""
    peers = {row.cell.server for row in figures.at_reference(report)}
    subjects = (('FastAPI', Evidence(report, 'uvicorn' if 'uvicorn' in peers else 'gunicorn')), ('Forklift', Evidence(report, 'forklift')))
    said = []
    for conclusion, judge, about in (('binary beats form-data', _binary, (_DISK, _ASYNC, _STREAM, _FORM_BLOCKING)),
                                     ('streaming is best for upload and download', _streaming, (_SINGLE, _STREAM, *_STREAMED, *_WHOLE)),
                                     ('a temporary memory file gains nothing', _memory, (_DISK, _MEMORY)),
                                     ('async read and async write together lose', _both_async, (_DISK, _ASYNC, _STREAM, _FORM_BLOCKING))):
        said += [Verdict(conclusion, subject, *judge(evidence), any(name in evidence.rows for name in about)) for subject, evidence in subjects]
    fastapi, forklift = (('uvicorn', 'xN'), ('gunicorn', 'xN')), (('forklift', 'alone'), ('forklift', 'x1'))
    return said + [Verdict('gunicorn+uvicorn is steadier', subject, *judge(report), all(_fleet(report, *fleet) for fleet in fleets))
                   for subject, judge, fleets in (('FastAPI', _steadier_peer, fastapi), ('Forklift', _steadier_master, forklift))]


def in_run(report):
    """The verdicts that something in the run is about."""
    return [verdict for verdict in verdicts(report) if verdict.measured]


def _judge(pairs, who='', all_of_them=False):
    """(HOLDS…, words) of [(words with {}, Estimate of a ratio, or None)]: the conclusion is that all of these ratios are above 1.

    all_of_them: what was not measured leaves it open.
    """
    measured = [(words, ratio) for words, ratio in pairs if ratio]
    if not measured:
        return UNKNOWN, 'the rows to compare were not measured, are INVALID, or their CPU is not all accounted for'
    said = (f'{who}: ' if who else '') + '; '.join(_words(words, ratio) for words, ratio in measured)
    if any(ratio.count < 2 for _, ratio in measured):
        return UNKNOWN, f'{said}; one run each, so the noise is not known'
    results = [result_of(ratio) for _, ratio in measured]
    if FAILS in results:
        return FAILS, said
    if UNKNOWN in results:
        return UNKNOWN, f'{said}; the noise is too wide to tell'
    if all_of_them and len(measured) < len(pairs):
        return UNKNOWN, f'{said}; the other half was not measured, or is INVALID'
    return HOLDS, said


def result_of(ratio):
    """HOLDS: its interval lies above 1. FAILS: it lies below, or holds 1 and reaches no further than SAME: no difference is against
    the conclusion, too. UNKNOWN: it holds 1, and what lies further off as well.
    """
    if ratio.sign:
        return HOLDS if ratio.sign > 0 else FAILS
    return FAILS if ratio.count > 1 and 1 / SAME <= ratio.low and ratio.high <= SAME else UNKNOWN


def _words(words, ratio):
    return words.format(times(ratio)) + (' (no difference outside the noise)' if ratio.count > 1 and not ratio.sign else '')


def _binary(evidence):
    return _judge([
        ('form-data needs {} the CPU of binary with a blocking write', evidence.ratio(_FORM_BLOCKING, _DISK)),
        ('{} with an async write', evidence.ratio(_STREAM, _ASYNC))], evidence.label)


def _streaming(evidence):
    stream, whole = evidence.cheapest(_STREAMED), evidence.cheapest(_WHOLE)
    result, words = _judge([
        ('a buffered form upload needs {} the CPU of a streamed one', evidence.ratio(_SINGLE, _STREAM)),
        (f'{whole} needs {{}} the CPU of {stream}', evidence.ratio(whole, stream))], evidence.label, all_of_them=True)
    memory = [estimate(evidence.rows.get(name), 'memory_bytes') for name in (_SINGLE, _STREAM)]
    if all(memory):
        words += f'; peak memory {number(memory[0].median / 2**20)} MiB buffered, {number(memory[1].median / 2**20)} MiB streamed'
    return result, words


def _memory(evidence):
    """The two differ in durability class, so nothing is ranked: the question is what the memory file would spare."""
    ratio = evidence.ratio(_DISK, _MEMORY)
    result, words = _judge([('a write to disk needs {} the CPU of one to memory', ratio)], evidence.label)
    if result == UNKNOWN:
        return result, words
    kept = f'{evidence.rows[_MEMORY].cell.durability} against {evidence.rows[_DISK].cell.durability}: other durability classes, so no rank'
    return FAILS if ratio.sign > 0 else HOLDS, f'{words} ({kept})'


def _both_async(evidence):
    return _judge([
        ('an async write needs {} the CPU of a blocking one with a raw body', evidence.ratio(_ASYNC, _DISK)),
        ('{} with form-data', evidence.ratio(_STREAM, _FORM_BLOCKING))], evidence.label)


def _fleet(report, server, model):
    """endpoint → row, of the largest fleet of a model."""
    rows = [row for row in figures.at_reference(report) if row.cell.server == server and row.cell.model == model]
    most = max((row.cell.workers for row in rows), default=0)
    return {row.cell.endpoint: row for row in rows if row.cell.workers == most}


def _tails(over, under):
    """The Estimate of p99 ÷ p50 of one fleet over that of another, over all endpoints and runs; None without any."""
    ratios = []
    for endpoint, row in over.items():
        other = under.get(endpoint)
        if other is None or row.state != 'ok' or other.state != 'ok' or row.cell.workers != other.cell.workers:
            continue
        ratios += [a / b for a, b in zip(values(row, 'tail'), values(other, 'tail')) if a > 0 and b > 0]
    if not ratios:
        return None
    found = Estimate(ratios)
    found.sign = figures.sign_of(found)
    return found


def balance(rows):
    """'9–14 connections a worker, 12.5 fair' of rows with several workers, '' when it was not sampled."""
    held = [run.connections_per_worker for row in rows for run in row.good if len(run.connections_per_worker) > 1]
    if not held:
        return ''
    fair = median(sum(counts) / len(counts) for counts in held)
    return f'{min(map(min, held))}–{max(map(max, held))} connections a worker where {fair:.3g} are fair'


def _steadier_peer(report):
    uvicorn, gunicorn = _fleet(report, 'uvicorn', 'xN'), _fleet(report, 'gunicorn', 'xN')
    result, words = _judge([('over all endpoints the p99 ÷ p50 of uvicorn is {} that of gunicorn+uvicorn', _tails(uvicorn, gunicorn))])
    held = (('uvicorn', balance(uvicorn.values())), ('gunicorn+uvicorn', balance(gunicorn.values())))
    spread = [f'{name} held {words_of_it}' for name, words_of_it in held if words_of_it]
    return result, '; '.join([words[0].upper() + words[1:]] + spread)


def _steadier_master(report):
    """Forklift has one supervisor, its master: with it against without it. How its fleet compares to gunicorn's is said as well."""
    alone, supervised = _fleet(report, 'forklift', 'alone'), _fleet(report, 'forklift', 'x1')
    result, words = _judge([('over all endpoints the p99 ÷ p50 of a worker alone is {} that of one below the master',
                             _tails(alone, supervised))])
    fleet = _fleet(report, 'forklift', 'xN')
    against, spread = _tails(_fleet(report, 'gunicorn', 'xN'), fleet), balance(fleet.values())
    more = [_words('that of gunicorn+uvicorn is {} that of Forklift with as many workers', against)] if against else []
    return result, '; '.join([f'Read as: a supervised worker is steadier than one alone. {words[0].upper()}{words[1:]}'] + more
                             + ([f'the fleet held {spread}'] if spread else []))
