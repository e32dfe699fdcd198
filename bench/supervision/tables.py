"""Figures into one table, servers side by side (Markdown, to be pasted), and what Forklift must not have lost."""

from columns import markdown


def lost(figures):
    if figures is None:
        return 'cannot'
    how = ', '.join(f'{count} {fate}' for fate, count in sorted(figures['lost_how'].items()))
    return f'{figures["lost"]} of {figures["requests"]}' + (f' ({how})' if how else '') + (
        f'; {figures["unfinished"]} not finished in 20 s' if figures.get('unfinished') else '')


def of_tally(tally):
    """'3 of 20 lost, 5 retried'."""
    kept, retried = tally.get('ok', 0), tally.get('retried', 0)
    total = sum(tally.values())
    return f'{total - kept - retried} of {total}' + (f', {retried} retried' if retried else '')


def milliseconds(value):
    return 'never' if value is None else f'{value:.0f} ms'


def cell(key, read, absent='cannot'):
    def text(results):
        if key not in results:
            return ''
        return absent if results[key] is None else read(results[key])
    return text


ROWS = (
    ('requests lost in {reloads} reloads', cell('reload', lost)),
    ('… idle connections found closed (retried)', cell('reload', lambda f: str(f['retried']))),
    ('… 99th percentile / longest wait', cell('reload', lambda f: f'{f["p99_ms"]:.0f} / {f["max_ms"]:.0f} ms')),
    ('memory (PSS) before → most during a reload', cell(
        'reload', lambda f: f'{f["pss_before_mb"]:.0f} → {f["pss_peak_mb"]:.0f} MB (× {f["pss_ratio"]:.2f})')),
    ('requests lost while scaling 2 → 5 → 2, {scalings} ×', cell('scale', lost)),
    ('requests lost, a worker killed each 200 ms for {kill_seconds:g} s', cell('kill', lost)),
    ('… kills that found a worker', cell('kill', lambda f: str(f['kills']))),
    ('… all workers back within 20 s', cell('kill', lambda f: 'yes' if f['recovered'] else 'no')),
    ('all workers killed, until one answers: median', cell('serve_again', lambda f: milliseconds(f['median_ms']))),
    ('… longest of {respawns}', cell('serve_again', lambda f: milliseconds(f['max_ms']))),
    ('TERM: idle connections, asked again 0–200 ms after: lost', cell('term', lambda f: of_tally(f['idle']))),
    ('TERM: transfers in flight: lost', cell('term', lambda f: of_tally(f['in_flight']))),
    ('TERM: requests in the accept queue: lost', cell('term_queued', lambda f: of_tally(f['queued']))),
    ('{connections} connections over {workers} workers', cell('balance', lambda f: '/'.join(map(str, f['per_worker'])))),
)


def show(results, versions, machine, options):
    servers = list(results)
    rows = [[label.format(**vars(options))] + [read(results[server]) for server in servers] for label, read in ROWS]
    rows = [row for row in rows if any(row[1:])]
    print(f'\n{machine}; {options.workers} workers, {options.rate:g} requests/s of {options.bytes} bytes\n'
          + '; '.join(f'{server}: {versions[server]}' for server in servers) + '\n')
    print(markdown([''] + servers, rows))


def faults(results):
    """What is wrong with Forklift's figures; kills may cost what the killed had in their hands."""
    found = [f'{name}: {lost(results[name])}' for name in ('reload', 'scale')
             if name in results and (results[name]['lost'] or results[name]['unfinished'])]
    for name in ('term', 'term_queued'):
        for kind, tally in results.get(name, {}).items():
            # An idle connection may be closed before it is asked again; nothing else may.
            fine = ('ok', 'retried') if kind == 'idle' else ('ok',)
            if isinstance(tally, dict) and set(tally) - set(fine):
                found.append(f'TERM, {kind}: {tally}')
    balance = results.get('balance')
    if balance and balance['busiest'] > balance['bound']:
        found.append(f'connections per worker: {balance["per_worker"]}, the busiest may hold {balance["bound"]:.0f}')
    if 'kill' in results and not results['kill']['recovered']:
        found.append('kill: the fleet did not recover')
    if 'serve_again' in results and results['serve_again']['median_ms'] is None:
        found.append('kill of all: nobody answered again')
    return found
