"""Figures into medians, intervals and tables (Markdown, to be pasted)."""

from statistics import median

from columns import markdown
from stats import median_interval

CLIENT_BOUND = 0.8  # wrk busier than this: the rate is as much the client's as the server's


def summary(runs, base):
    """name → [Figures] into medians; every other server also as a ratio to the base, pair by pair."""
    table = {}
    for name, figures in runs.items():
        row = {'cpu_us_per_request': median(f.cpu_us for f in figures), 'requests_per_second': median(f.rate for f in figures),
               'wrk_busy': median(f.wrk_busy for f in figures), 'runs': [f._asdict() for f in figures]}
        if name != base and base in runs:
            ratios = [mine.cpu_us / theirs.cpu_us for mine, theirs in zip(figures, runs[base])]
            row['ratio'], row['ratio_interval_95'] = median(ratios), median_interval(ratios)
        table[name] = row
    return table


def ratio_text(row):
    if 'ratio' not in row:
        return '1'
    low, high = row['ratio_interval_95']
    return f'{row["ratio"]:.3f} [{low:.3f}, {high:.3f}]'


def verdict(ratio, bound):
    if bound is None:
        return ''
    return 'met' if ratio <= bound else 'over'


def show_kind(kind, table):
    print(f'\n{kind}: server CPU per request (median), times the floor (median of pairs, 95 % interval), requests/s')
    for name, row in table.items():
        print(f'  {name:8} {row["cpu_us_per_request"]:8.1f} µs   {ratio_text(row):24} {row["requests_per_second"]:9.0f}/s')


def show_endpoints(results):
    """results: [(endpoint, table or the reason that it is missing)]."""
    rows = []
    for endpoint, table in results:
        if isinstance(table, str):
            rows.append([endpoint.name, 'not here'] + [''] * 6)
            continue
        floor, mine = table['floor'], table['worker']
        rows.append([endpoint.name, f'{mine["cpu_us_per_request"]:.1f}', f'{floor["cpu_us_per_request"]:.1f}', endpoint.floor,
                     ratio_text(mine), '' if endpoint.bound is None else f'{endpoint.bound:g}',
                     verdict(mine['ratio'], endpoint.bound), f'{mine["requests_per_second"]:.0f}'])
    print('\nServer CPU per request (medians), worker beside floor; ratio: median of pairs [95 % interval]\n')
    print(markdown(['endpoint', 'worker µs', 'floor µs', 'floor', 'ratio', 'bound', 'verdict', 'worker req/s'], rows))


def beats(mine, theirs):
    """CPU per request always counts; the rate only where wrk bound neither."""
    if mine['cpu_us_per_request'] >= theirs['cpu_us_per_request']:
        return 'no: CPU'
    if max(mine['wrk_busy'], theirs['wrk_busy']) > CLIENT_BOUND:
        return 'CPU; client-bound'
    return 'CPU, rate' if mine['requests_per_second'] > theirs['requests_per_second'] else 'no: rate'


def show_peers(results):
    names = [name for name in results[0][1] if name != 'worker']
    header = ['endpoint']
    for name in ['worker'] + names:
        header += [f'{name} µs', 'req/s', 'wrk busy']
    header += [f'{name} ÷ worker' for name in names] + [f'beats {name}' for name in names]
    rows = []
    for endpoint, table in results:
        row, mine = [endpoint.name], table['worker']
        for name in ['worker'] + names:
            cell = table[name]
            busy = f'{cell["wrk_busy"]:.0%}' + (' *' if cell['wrk_busy'] > CLIENT_BOUND else '')
            row += [f'{cell["cpu_us_per_request"]:.1f}', f'{cell["requests_per_second"]:.0f}', busy]
        row += [f'{table[name]["ratio"]:.1f}' for name in names] + [beats(mine, table[name]) for name in names]
        rows.append(row)
    print('\nServer CPU per request and requests/s (medians), one process each on one CPU; * client-bound: wrk used more than '
          f'{CLIENT_BOUND:.0%} of its CPU\n')
    print(markdown(header, rows))
