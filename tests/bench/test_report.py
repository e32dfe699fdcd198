"""What a report says: its tables' form, its ranks, findings and verdicts follow the figures, and it never ranks what may not be."""

import csv
import io
import os
import random
import re
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import report_support as support  # noqa: E402
from report_support import ASYNC, DISK, FORM_BLOCKING, SINGLE, STREAM, cell, fastapi, forklift, invalid, row  # noqa: E402
import printable  # noqa: E402
import report as reports  # noqa: E402
from report import article, csv_file, figures, findings, html, markdown, readme, tables, terminal, verdicts  # noqa: E402

TEXTS = {'md': markdown.text, 'csv': csv_file.text, 'html': html.text}


def shown(report, colour=False):
    out = io.StringIO()
    terminal.show(report, out, colour)
    return out.getvalue()


def names(table):
    return [name for name, _ in table.columns]


def said(report):
    return ' '.join(findings.findings(report))


def verdict(report, conclusion, subject):
    return next(found for found in findings.verdicts(report) if conclusion in found.conclusion and found.subject == subject)


@pytest.fixture(scope='module')
def full():
    return support.full()


# The article's tables

def test_the_first_table_has_the_articles_form_and_one_row_an_endpoint(full):
    table = tables.by_endpoint(full, 'forklift', 'xN', 4)
    assert names(table)[:7] == ['async', 'API', 'Body', 'stream', 'Requests', 'Requests/sec', 'Avg latency (ms)']
    assert [line[1] for _, line in table.lines] == list(support.CPU_US)
    form = table.lines[3][1]
    assert form[:4] == ['yes', 'upload/single', 'form-data', 'no']
    assert form[4].isdigit() and re.fullmatch(r'\d+\.\d\d', form[5]) and re.fullmatch(r'\d+\.\d\d', form[6])
    assert table.lines[4][1][0] == 'no', 'upload/single/sync is no coroutine'


def test_the_second_table_has_the_articles_form_and_servers_beside_each_other(full):
    table = tables.by_server(full, many=True)
    assert names(table)[:6] == ['server', 'API', 'stream', 'Requests', 'Requests/sec', 'Avg latency (ms)']
    single = [line[0] for _, line in table.lines if line[1] == 'upload/single']
    assert single == ['Forklift ×4', 'uvicorn ×4', 'gunicorn+uvicorn ×4', 'uvicorn ×40, 2022', 'gunicorn+uvicorn ×40, 2022']


def test_figures_of_2022_are_greyed_and_the_seven_of_the_line_rate_are_marked(full):
    figures_of_2022 = [pair[0] for api in article.APIS for pair in api.past.values()]
    assert len(article.APIS) == 13 and len(figures_of_2022) == 26
    assert sum(rate >= article.LINE_RATE for rate in figures_of_2022) == 7
    table = tables.by_endpoint(full, 'gunicorn', 'xN', 4)
    assert [kind for _, kind in table.columns].count(tables.PAST) == 2
    past = dict((line[1], line[10:12]) for _, line in table.lines)
    assert past[DISK] == ['4571.55 †', '17.66'] and past[SINGLE] == ['4313.97', '18.53'] and past[STREAM] == ['–', '–']
    assert '80 connections' in article.PAST_NOTE and 'line rate' in article.PAST_NOTE
    assert all(kind == tables.GREYED for kind, line in tables.by_server(full, True).lines if '2022' in line[0])
    assert 'class="past">4548.93 †' in html.text(full) and '*4548.93 †*' in markdown.text(full)


def test_one_process_stands_beside_many_with_cpu_and_bytes_per_cpu_second(full):
    table = tables.one_beside_many(full)
    pairs = {f'{name} ×{count}' for name in ('Requests/sec', 'CPU µs/request', 'MB/CPU-s') for count in '1N'}
    assert pairs <= set(names(table))
    line = next(line for _, line in table.lines if line[:2] == ['uvicorn ×4', SINGLE])
    assert re.fullmatch(r'3\.\d\d ± 0\.\d\d×', line[5])


# Ranks

def test_a_row_is_ranked_by_what_beats_it_outside_the_noise():
    rows = [row(cell(server, DISK), cpu, runs=9) for server, cpu in (('forklift', 200), ('nginx', 300), ('uvicorn', 300.5), ('h2o', 400))]
    ranks = figures.ranks(rows, 'cpu_us')
    assert [ranks[each.cell.key] for each in rows] == ['1', '≈2', '≈2', '4']
    rates = figures.ranks(rows, 'rate')
    assert [rates[each.cell.key] for each in rows] == ['1', '≈2', '≈2', '4']


def test_one_run_beats_nothing():
    rows = [row(cell('forklift', DISK), 200, runs=1), row(cell('nginx', DISK), 300, runs=1)]
    assert set(figures.ranks(rows, 'cpu_us').values()) == {'≈1'}
    report = support.bare(rows)
    assert 'the noise is not known' in said(report)
    both = support.bare([forklift(DISK, 'alone', 1, runs=1), forklift(FORM_BLOCKING, 'alone', 1, runs=1)])
    assert verdict(both, 'binary', 'Forklift').result == verdicts.UNKNOWN


def test_an_invalid_row_has_no_rank_no_figures_and_shows_its_reason():
    spoilt = invalid(row(cell('nginx', DISK), 100), '7 files are missing')
    rows = [row(cell('forklift', DISK), 200), spoilt, row(cell('uvicorn', DISK), 300)]
    report = support.bare(rows)
    assert set(figures.ranks(rows, 'cpu_us')) == {rows[0].cell.key, rows[2].cell.key}
    kind, line = next(line for line in tables.results(report).lines if line[1][0].startswith('nginx'))
    assert kind == tables.BAD and line[2] == 'INVALID' and 'INVALID: 7 files are missing' in line[-1]
    assert set(line[3:-1]) == {'–'}
    for text in (shown(report), *(text(report) for text in TEXTS.values())):
        assert '7 files are missing' in text
    assert 'nginx' not in said(report) and '1 INVALID' in said(report)
    page = html.text(report)
    assert page.count('class="bar c0"') == 2 and not re.search(r'class="(bar|curve)[^>]*><title>nginx', page)
    medians = [line for line in csv.DictReader(io.StringIO(csv_file.text(report))) if line['kind'] == 'median']
    assert {line['server'] for line in medians} == {'forklift', 'uvicorn'}


def test_a_bound_row_keeps_its_rank_in_cpu_and_loses_that_in_requests():
    rows = [row(cell('forklift', DISK), 200, bound_by='receive_store'), row(cell('uvicorn', DISK), 300), row(cell('nginx', DISK), 250)]
    assert figures.ranks(rows, 'cpu_us')[rows[0].cell.key] == '1'
    assert rows[0].cell.key not in figures.ranks(rows, 'rate')
    report = support.bare(rows)
    assert 'bound by receive_store' in shown(report)
    assert 'in CPU per request' in said(report) and 'requests/s' not in said(report)


def test_the_rate_of_an_open_loop_is_the_clients_choice():
    rows = [row(cell(server, DISK, tool='open', rate=500.0), cpu, rate=rate)
            for server, cpu, rate in (('forklift', 200, 500), ('nginx', 300, 400))]
    assert len(figures.ranks(rows, 'cpu_us')) == 2 and not figures.ranks(rows, 'rate')


def test_nothing_is_ranked_or_compared_across_durability_classes():
    fast, safe = row(cell('forklift', 'PUT'), 200), row(cell('nginx', 'PUT', durability='fsync+directory'), 900)
    report = support.bare([fast, safe])
    assert len(figures.contests(report)) == 2 and 'Forklift beats' not in said(report)
    ranked = [line for kind, line in tables.results(report).lines if kind == tables.OK]
    assert [(line[1], line[4], line[8]) for line in ranked] == [('page cache', '–', '–'), ('fsync+directory', '–', '–')]
    same = support.bare([fast, row(cell('nginx', 'PUT'), 900)])
    assert 'Forklift beats it by 4.' in said(same)
    assert html.text(report).count('<svg class="chart"') > html.text(same).count('<svg class="chart"'), 'each class has its own panel'


def test_the_floor_is_shown_and_not_ranked():
    rows = [row(cell('forklift', DISK), 230), row(cell('floor', DISK), 190), row(cell('uvicorn', DISK), 300)]
    assert rows[1].cell.key not in figures.ranks(rows, 'cpu_us') and figures.ranks(rows, 'cpu_us')[rows[0].cell.key] == '1'
    report = support.bare(rows)
    assert 'floor' in shown(report) and 'floor' not in said(report)


def test_server_and_client_cpu_stand_beside_each_other_everywhere():
    mine = row(cell('forklift', 'GET'), 57)
    for run in mine.runs:
        run.client_cpu_s = run.requests * 91.5e-6
    report = support.bare([mine, row(cell('nginx', 'GET'), 70)])
    for brief in (True, False):
        table = tables.results(report, brief)
        first = dict(zip(names(table), next(line for kind, line in table.lines if kind == tables.OK)))
        assert float(first['CPU µs/req']) == pytest.approx(57, rel=0.02) and first['client µs'] == '91.5'
    assert all('91.5' in text for text in (shown(report), markdown.text(report), html.text(report)))
    assert float(next(csv.DictReader(io.StringIO(csv_file.text(report))))['client_us']) == pytest.approx(91.5)


@pytest.mark.parametrize('floor', ['row', 'ceiling', 'none'])
def test_a_row_that_costs_its_server_less_than_the_floor_says_what_its_client_pays(floor):
    rows = [row(cell('forklift', 'GET'), 58), row(cell('nginx', 'GET'), 40), row(cell('h2o', 'GET', size=1024), 40)]
    for run in rows[1].runs:
        run.client_cpu_s = run.requests * 110e-6
    limits = [support.Ceiling('sendfile_download', support.SIZE, 17000.0, cpu_us=57.0 if floor == 'ceiling' else 0.0, client_us=81.0),
              support.Ceiling('receive_store', support.SIZE, 5000.0, cpu_us=190.0)]
    rows += [row(cell('floor', 'GET'), 57)] if floor == 'row' else []
    report = support.bare(rows, ceilings=limits)
    lines = {line[0]: line[-1] for kind, line in tables.results(report).lines if kind == tables.OK}
    assert ('below the floor' in lines['nginx alone']) == ('nginx alone (GET): less server CPU' in said(report)) == (floor != 'none')
    assert floor == 'none' or 'its client pays 110 µs, the floor' in lines['nginx alone']
    assert not any('below the floor' in lines.get(name, '') for name in ('Forklift alone', 'h2o alone', 'floor alone'))
    for text in (shown(report), markdown.text(report), html.text(report)):
        assert ('below the floor' in text) == (floor != 'none')


def with_client_us(made, client_us):
    for run in made.runs:
        run.client_cpu_s = run.requests * client_us * 1e-6
    return made


@pytest.mark.parametrize('client_us, missing', [(110, False), (60, True)])
def test_a_row_cheaper_than_the_floor_and_its_client_together_has_no_rank_and_no_verdict(client_us, missing):
    """The floor takes 57 + 81 µs: 40 + 110 is the same work on another's time, 40 + 60 is not the work."""
    cheap = with_client_us(row(cell('nginx', 'GET'), 40), client_us)
    rows = [with_client_us(row(cell('forklift', 'GET'), 58), 81), cheap, with_client_us(row(cell('h2o', 'GET'), 70), 81)]
    report = support.bare(rows, ceilings=[support.Ceiling('sendfile_download', support.SIZE, 17000.0, cpu_us=57.0, client_us=81.0)])
    found = {line[0]: line for kind, line in tables.results(report).lines if kind == tables.OK}
    assert (found['nginx alone'][4], found['Forklift alone'][4]) == (('–', '1') if missing else ('1', '2'))
    assert ('work is missing or not accounted for' in found['nginx alone'][-1]) == missing
    assert ('nginx alone (GET): less CPU than a C program' in said(report)) == missing
    assert ('part of the work is done on the client\'s time' in said(report)) != missing
    assert bool(re.search(r'nginx alone: it beats Forklift by 1\.4\S+ ± \S+ \(GET\) in CPU', said(report))) != missing
    assert bool(re.search(r'\| +\((40|39)\.\d\) † \|', readme.text(report))) == missing


@pytest.mark.parametrize('share, words', [(0.95, 'bound by receive_store'), (1.05, 'bound by receive_store'),
                                          (1.2, '1.2 times the ceiling receive_store: more than')])
def test_a_row_above_a_ceiling_is_not_called_bound_by_it(share, words):
    made = row(cell('nginx', 'PUT'), 200, noise=0, rate=5230 * share, bound_by='receive_store')
    report = support.bare([made])
    remark = tables.remark(report, made)
    assert words in remark and ('bound by' in remark) == (share < 1.1)
    assert made.cell.key not in figures.ranks([made, row(cell('h2o', 'PUT'), 200)], 'rate')


def test_a_row_above_what_an_idle_client_can_do_is_not_called_bound_by_the_client():
    for busy, words in ((9.5, 'bound by the client'), (3.0, '1.5 times the ceiling client download')):
        made = row(cell('nginx', 'GET'), 30, noise=0, rate=18300 * 1.5, bound_by='the client')
        for run in made.runs:
            run.client_cpu_s = busy
        assert words in tables.remark(support.bare([made]), made)


# Findings

def test_findings_change_sides_with_the_figures():
    def against(mine, theirs):
        return said(support.bare([forklift(DISK, 'alone', 1, cpu_us=mine), fastapi('uvicorn', DISK, 'alone', 1, cpu_us=theirs)]))
    assert re.search(rf'Forklift alone and uvicorn alone: Forklift beats it by 2\.\d\d ± 0\.\d\d× \({DISK}\) in CPU per request', against(200, 420))
    assert re.search(r'it beats Forklift by 2\.\d\d ± 0\.\d\d×', against(420, 200))
    assert 'no difference outside the noise in CPU per request' in against(200, 200.1)


def test_a_lopsided_interval_is_given_by_its_ends():
    lopsided, even = figures.Estimate([1.1, 1.2, 3.0]), figures.Estimate([1.1, 1.2, 1.3])
    assert (figures.times(lopsided), figures.times(even)) == ('1.20× [1.10–3.00]', '1.20 ± 0.10×')


def test_one_process_is_compared_with_the_largest_fleet(full):
    assert re.search(r'uvicorn, with the client on the same cores: 4 processes beat one by 3\.\d', said(full))
    slower = [forklift(DISK, 'x1', 1), forklift(DISK, 'xN', 4, rate=2000)]
    assert re.search(r'one beats 4 by 2\.\d\d', said(support.bare(slower)))


def test_latency_at_a_fixed_rate_is_compared_by_the_p99():
    def at(mine, theirs):
        return said(support.bare([row(cell(server, DISK, tool='open', rate=500.0), 200, rate=500, tail=tail)
                                  for server, tail in (('forklift', mine), ('nginx', theirs))]))
    assert re.search(r'500 requests/s: Forklift beats it by [23]\.\d\d.* in p99 latency', at(2.0, 6.0))
    assert 'it beats Forklift by' in at(6.0, 2.0) and 'no difference outside the noise in p99' in at(2.0, 2.0)


def test_strategies_are_compared_within_a_family(full):
    assert 'Forklift, downloads, CPU per request: download/file is the cheapest' in said(full)
    assert 'uvicorn, downloads, CPU per request: download/stream/sync_read is the cheapest' in said(full)


def in_weather(made, *factors):
    """The row with run after run of its CPU multiplied."""
    for run, factor in zip(made.runs, factors):
        run.server_cpu_s *= factor
    return made


def test_weather_that_both_rows_meet_hides_no_difference_in_words_or_ranks():
    """The rows' own ranges overlap, but run by run one costs 1.05 times the other: so say the words, the ranks and the verdict."""
    rows = [in_weather(row(cell(server, DISK), cpu, runs=3, noise=0), 1.0, 1.1, 1.2) for server, cpu in (('nginx', 210), ('forklift', 200))]
    assert [figures.ranks(rows, 'cpu_us')[each.cell.key] for each in rows] == ['2', '1']
    assert 'beats it by 1.05' in said(support.bare(rows)) and 'no difference outside the noise in CPU' not in said(support.bare(rows))


def interval_of(words):
    """The ends of a ratio as it is written: '1.31 ± 0.04×', '2.30× [1.20–4.40]'."""
    if found := re.fullmatch(r'([\d.]+) ± ([\d.]+)×', words):
        return float(found[1]) - float(found[2]), float(found[1]) + float(found[2])
    return tuple(map(float, re.fullmatch(r'[\d.]+× \[([\d.]+)–([\d.]+)\]', words).groups()))


def test_no_words_contradict_the_interval_beside_them_or_the_ranks():
    """Of many noisy reports: where a ratio is written, it holds 1 if and only if it is called no difference or is undecided."""
    ratio, seen = r'(\d[\d.]* ± [\d.]+×|\d[\d.]*× \[[^]]+\])', {True: 0, False: 0}
    for seed in range(40):
        rows = [row(cell(server, endpoint), cpu, runs=3, seed=seed, noise=0.03) for server, cpu in (('forklift', 200), ('nginx', 206))
                for endpoint in (DISK, ASYNC, STREAM, FORM_BLOCKING)]
        report = support.bare(rows)
        for won in re.findall(rf'beats (?:it|Forklift) by {ratio}(?: \([^)]+\) to {ratio})?', said(report)):
            assert all(interval_of(each)[0] > 1 for each in won if each), won
        for found in findings.verdicts(report):
            for words, none in re.findall(rf'{ratio}[^;(]*(\(no difference)?', found.because):
                low, high = interval_of(words)
                assert (low <= 1 <= high) == bool(none), found
                seen[bool(none)] += 1
        for one, other in zip(rows[:4], rows[4:]):
            level = {rank[0] == '≈' for rank in figures.ranks([one, other], 'cpu_us').values()}
            assert level == {figures.compared(one, other, 'cpu_us').sign == 0}
    assert min(seen.values()) > 20, seen


def test_a_ratio_is_written_so_that_it_holds_1_or_does_not_as_its_interval():
    written = {values: figures.times(figures.Estimate(values)) for values in ((1.004, 1.07, 1.14), (1.001, 1.3, 1.6), (0.7, 0.9, 0.999),
                                                                              (0.996, 1.04, 1.08))}
    assert list(written.values()) == ['1.070× [1.004–1.140]', '1.300× [1.001–1.600]', '0.900× [0.700–0.999]', '1.04 ± 0.04×']


def test_no_ratio_is_certain():
    assert figures.times(figures.Estimate([1.589, 1.59, 1.591])) == '1.59 ± <0.01×'
    assert figures.times(figures.Estimate([12.01, 12.0, 12.0])) == '12.0 ± <0.1×'
    assert figures.noise(figures.Estimate([100.0, 100.0, 100.01])) == '±<0.1 %'
    assert '<b>1.59 ± &lt;0.01×</b>' in html._marked('beats it by 1.59 ± <0.01× (PUT)')


def test_few_runs_say_what_chance_does():
    def sure(runs):
        return dict(findings.grouped(support.bare([forklift(DISK, 'alone', 1, runs=runs), fastapi('uvicorn', DISK, 'alone', 1, runs=runs)])))
    assert 'by chance alone, 25 % of all ratios' in sure(3)['How sure this is'][0] and '6 % of' in sure(5)['How sure this is'][0]
    assert '(--repeats 6: 5 % at most)' in sure(3)['How sure this is'][0]
    assert 'How sure this is' not in sure(6) and 'How sure this is' not in sure(1)


def test_chance_is_what_it_is_said_to_be():
    rng = random.Random(5)
    for runs in (2, 3, 4, 5, 6, 9):
        rounds = 4000
        beside = sum(bool(figures.sign_of(figures.ratio(*([rng.lognormvariate(0, 0.1) for _ in range(runs)] for _ in '12'))))
                     for _ in range(rounds))
        assert beside / rounds < figures.chance(runs) + 0.02
        assert runs > 5 or beside / rounds > figures.chance(runs) - 0.02


# The files

@pytest.mark.parametrize('report', [
    support.bare(), support.bare(commands=[], ceilings=[], peers={}, environment={}, complete=False),
    support.bare([forklift(DISK, 'alone', 1)]), support.bare([forklift(DISK, 'alone', 1, runs=1)]),
    support.bare([invalid(forklift(DISK, 'alone', 1), 'broken')]),
    support.bare([support.Row(cell('caddy', 'GET'), skipped='not installed')]),
    support.bare([support.Row(cell('caddy', 'GET'))]), support.bare([row(cell('forklift', DISK, tool='open', rate=500.0), 200)]),
], ids=['none', 'empty', 'one row', 'one run', 'one INVALID', 'one skipped', 'one missing', 'open loop alone'])
def test_a_report_of_hardly_anything_is_shown(report):
    assert shown(report) and shown(report, colour=True)
    for text in TEXTS.values():
        assert text(report)


def test_a_run_without_requests_is_shown():
    empty = forklift(DISK, 'alone', 1)
    for run in empty.runs:
        run.requests, run.server_cpu_s, run.histogram, run.connections_per_worker = 0, 0.0, support.Histogram(), []
    report = support.bare([empty, fastapi('uvicorn', DISK, 'alone', 1)])
    assert shown(report) and all(text(report) for text in TEXTS.values())


def test_the_page_needs_nothing_from_elsewhere(full):
    page = html.text(full)
    assert not re.search(r'(?:src|href)\s*=\s*"(?!#)|@import|url\(|<script|<link|<iframe', page)
    assert not re.search(r'https?://(?!127\.0\.0\.1)', page)


def test_what_others_wrote_cannot_become_markup():
    made = invalid(row(cell('<b>mine', DISK), 200), '<script>alert(1)</script>')
    report = support.bare([made], commands=['<img src=x>'], environment={'cpu': '<i>'}, peers={'<u>': {'version': '<s>', 'notes': ['<q>']}})
    page = html.text(report)
    assert not re.search(r'<(script|img|i|u|s|q|b>mine)\b', page) and '&lt;script&gt;' in page


@pytest.mark.parametrize('evil', ['\x1b]0;owned\x07', '\x9b31m', '\u202eevil', '\ud800', '\x1b[2J'])
def test_what_others_wrote_cannot_command_a_terminal(evil):
    made, fine = invalid(row(cell('n', DISK), 200), f'reason {evil}'), row(cell('m', DISK), 200)
    made.cell, fine.cell = cell(f'n{evil}', DISK), cell(f'm{evil}', DISK)
    fine.runs[0].notes.append(f'note\n{evil}')
    report = support.bare([made, fine], commands=[evil], environment={evil: evil}, peers={evil: {'version': evil, 'notes': [evil]}})
    for text in (shown(report), markdown.text(report), csv_file.text(report), readme.text(printable.harmless(report)), html.text(report)):
        assert evil[0] not in text
        text.encode()
    assert ascii(evil[0])[1:-1] in shown(report) and ascii(evil[0])[1:-1] in csv_file.text(report)


def test_no_percentile_lies_above_the_slowest_answer():
    made = forklift(DISK, 'alone', 1)
    for run in made.runs:
        run.histogram = support.Histogram()
        run.histogram.add(283000, 500)  # its bucket's middle is above
        run.latency_max_ms = 283.0
    assert made.runs[0].histogram.percentile(99.9) > 283000
    assert figures.estimate(made, 'p99.9_ms').median == figures.estimate(made, 'p50_ms').median == 283.0


def test_charts_without_data_are_a_sentence():
    page = html.text(support.bare([forklift(DISK, 'alone', 1)]))
    assert 'Only one size was measured' in page and 'more than one number of workers' in page and 'No fleet of several workers' in page
    assert not re.search(r'<div class="panels"></div>', page)


def test_every_chart_has_a_name_and_every_server_one_colour(full):
    page = html.text(full)
    charts = re.findall(r'<svg class="chart".*?</svg>', page, re.S)
    assert len(charts) > 40
    assert all('role="img"' in chart and re.search('<title>[^<]+</title><desc>[^<]+</desc>', chart) for chart in charts)
    colours = {server: {css for css, name in re.findall(r'class="bar (c\d+)[^"]*"[^>]*><title>([^ ×]+)', page) if name == server}
               for server in ('Forklift', 'uvicorn', 'gunicorn+uvicorn', 'nginx', 'lighttpd', 'h2o', 'my-own-rather-long-server-name')}
    assert all(len(found) == 1 for found in colours.values()) and len(set.union(*colours.values())) == len(colours)


def test_colour_is_for_terminals_that_want_it(full, monkeypatch):
    assert '\x1b[' not in shown(full) and '\x1b[31mINVALID: 12 of 6400' in shown(full, colour=True)

    class Terminal(io.StringIO):
        def isatty(self):
            return True
    monkeypatch.setenv('TERM', 'xterm')
    monkeypatch.delenv('NO_COLOR', raising=False)
    assert terminal.wants_colour(Terminal()) and not terminal.wants_colour(io.StringIO())
    monkeypatch.setenv('NO_COLOR', '1')
    assert not terminal.wants_colour(Terminal())


def test_the_csv_has_a_line_a_run_and_medians(full):
    lines = list(csv.DictReader(io.StringIO(csv_file.text(full))))
    kinds = [line['kind'] for line in lines]
    assert kinds.count('run') == sum(len(each.runs) for each in full.rows)
    assert kinds.count('median') == sum(each.state == 'ok' for each in full.rows) and kinds.count('none') == 3
    mine = [line for line in lines if (line['server'], line['model'], line['endpoint'], line['bytes'], line['tool'])
            == ('forklift', 'alone', DISK, '262144', 'wrk')]
    rates = sorted(float(line['rate']) for line in mine if line['kind'] == 'run')
    assert float(next(line['rate'] for line in mine if line['kind'] == 'median')) == pytest.approx(rates[2])
    spoilt = [line for line in lines if line['state'] == 'INVALID' and line['reason']]
    assert len(spoilt) == 1 and '500 Internal Server Error' in spoilt[0]['reason']


def test_all_files_are_made_again_from_the_json(tmp_path):
    report = support.bare([forklift(DISK, 'alone', 1), fastapi('uvicorn', DISK, 'alone', 1)])
    report.save(str(tmp_path / 'report.json'))
    reports.write_all(report, str(tmp_path))
    first = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert set(first) == {'report.json', 'report.md', 'report.csv', 'report.html'}
    again = 'import sys; sys.path.insert(0, sys.argv[1]); import report; sys.exit(report.main(sys.argv[2:]))'
    run = [sys.executable, '-c', again, os.path.join(support.ROOT, 'bench', 'harness')]
    done = subprocess.run([*run, str(tmp_path)], capture_output=True, text=True, check=True)
    assert 'Forklift beats it by' in done.stdout and '\x1b[' not in done.stdout
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == first
    printed = subprocess.run([*run, str(tmp_path / 'report.json'), '--format', 'csv'], capture_output=True, check=True).stdout
    assert printed == first['report.csv']
    (tmp_path / 'report.json').write_text('{}')
    bad = subprocess.run([*run, str(tmp_path)], capture_output=True, text=True, check=False)
    assert bad.returncode == 2 and 'not a report' in bad.stderr and bad.stdout == ''
