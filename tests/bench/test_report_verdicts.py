"""What a report concludes: its verdicts on the article, and the table that README takes from it."""

import os
import re
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import report_support as support  # noqa: E402
from report_support import ASYNC, DISK, FORM_BLOCKING, MEMORY, SINGLE, STREAM, cell, fastapi, forklift, invalid, row  # noqa: E402
from test_report import in_weather, said, shown, verdict  # noqa: E402
import model  # noqa: E402
from report import findings, html, markdown, readme, verdicts  # noqa: E402


FORKLIFT = {  # conclusion → Forklift's CPU by endpoint under which it holds, and under which it does not
    'binary': ({DISK: 200, FORM_BLOCKING: 300, ASYNC: 200, STREAM: 300}, {DISK: 200, FORM_BLOCKING: 300, ASYNC: 200, STREAM: 200}),
    'streaming': ({SINGLE: 300, STREAM: 200, support.SYNC_READ: 50, support.FILE: 80},
                  {SINGLE: 300, STREAM: 200, support.SYNC_READ: 80, support.FILE: 50}),
    'memory': ({MEMORY: 230, DISK: 200}, {MEMORY: 100, DISK: 200}),
    'async read': ({ASYNC: 300, DISK: 200, STREAM: 300, FORM_BLOCKING: 200}, {ASYNC: 200, DISK: 200, STREAM: 300, FORM_BLOCKING: 200}),
}


@pytest.mark.parametrize('conclusion', FORKLIFT)
def test_a_verdict_follows_the_figures(conclusion):
    for costs, wanted in zip(FORKLIFT[conclusion], (verdicts.HOLDS, verdicts.FAILS)):
        report = support.bare([forklift(endpoint, 'alone', 1, cpu_us=cpu) for endpoint, cpu in costs.items()])
        found = verdict(report, conclusion, 'Forklift')
        assert found.result == wanted, found
        assert '×' in found.because
        assert verdict(report, conclusion, 'FastAPI').result == verdicts.UNKNOWN
    half = support.bare([forklift(next(iter(costs)), 'alone', 1)])
    assert verdict(half, conclusion, 'Forklift').result == verdicts.UNKNOWN


@pytest.mark.parametrize('ratios, wanted', [
    ((1.10, 1.11, 1.17), verdicts.HOLDS), ((1.01, 1.3, 2.5), verdicts.HOLDS), ((0.83, 0.9, 0.99), verdicts.FAILS),
    ((0.97, 1.0, 1.06), verdicts.FAILS), ((0.92, 1.0, 1.09), verdicts.FAILS), ((0.99, 1.05, 1.2), verdicts.UNKNOWN),
    ((0.8, 1.0, 1.01), verdicts.UNKNOWN), ((0.5, 1.0, 2.0), verdicts.UNKNOWN), ((1.3,), verdicts.UNKNOWN)])
def test_a_verdict_goes_by_the_interval_of_the_ratio_alone(ratios, wanted):
    """Also where the rows' own ranges overlap, as the weather of their runs differs."""
    weather = (1.0, 1.3, 0.8)
    cheap = in_weather(forklift(DISK, 'alone', 1, cpu_us=200, runs=len(ratios), noise=0), *weather)
    dear = in_weather(forklift(FORM_BLOCKING, 'alone', 1, cpu_us=200, runs=len(ratios), noise=0),
                      *(factor * ratio for factor, ratio in zip(weather, ratios)))
    found = verdict(support.bare([cheap, dear]), 'binary', 'Forklift')
    assert found.result == wanted, found


@pytest.mark.parametrize('one, other, wanted', [
    (1.3, 1.3, verdicts.HOLDS), (1.3, 1.0, verdicts.FAILS), (1.3, 0.8, verdicts.FAILS), (1.3, None, verdicts.UNKNOWN),
    (None, 1.0, verdicts.FAILS), (1.0, None, verdicts.FAILS)])
def test_a_conclusion_of_two_halves_holds_as_both_do_and_fails_as_either_does(one, other, wanted):
    """None: that half drowns in noise."""
    wild, rows = (0.5, 1.0, 2.0), []
    for (form, raw), ratio in (((FORM_BLOCKING, DISK), one), ((STREAM, ASYNC), other)):
        rows.append(forklift(raw, 'alone', 1, cpu_us=200, runs=3, noise=0))
        rows.append(in_weather(forklift(form, 'alone', 1, cpu_us=200 * (ratio or 1), runs=3, noise=0), *(() if ratio else wild)))
    assert verdict(support.bare(rows), 'binary', 'Forklift').result == wanted


def test_a_verdict_is_not_drawn_from_wide_noise():
    def binary(noise):
        rows = [forklift(endpoint, 'alone', 1, cpu_us=200, noise=noise) for endpoint in (DISK, FORM_BLOCKING)]
        return verdict(support.bare(rows), 'binary', 'Forklift')
    assert binary(0.01).result == verdicts.FAILS
    assert binary(0.2).result == verdicts.UNKNOWN and 'too wide' in binary(0.2).because


def test_steadier_is_judged_by_the_tail_of_the_fleets():
    def fleets(uvicorn, gunicorn):
        return support.bare([fastapi(server, DISK, 'xN', 4, tail=tail) for server, tail in (('uvicorn', uvicorn), ('gunicorn', gunicorn))])
    assert verdict(fleets(9.0, 3.0), 'steadier', 'FastAPI').result == verdicts.HOLDS
    assert verdict(fleets(3.0, 9.0), 'steadier', 'FastAPI').result == verdicts.FAILS
    supervised = support.bare([forklift(DISK, 'alone', 1, tail=9.0), forklift(DISK, 'x1', 1, tail=3.0)])
    assert verdict(supervised, 'steadier', 'Forklift').result == verdicts.HOLDS


def test_an_invalid_row_is_no_evidence():
    report = support.bare([forklift(MEMORY, 'alone', 1), invalid(forklift(DISK, 'alone', 1), 'lost a byte')])
    assert verdict(report, 'memory', 'Forklift').result == verdicts.UNKNOWN


def test_a_conclusion_that_nothing_in_the_run_is_about_gets_no_verdict():
    one, other = row(cell('forklift', 'PUT', 'x1'), 200), row(cell('nginx', 'PUT', 'x1'), 240)
    for text in (shown(support.bare([one, other])), markdown.text(support.bare([one, other])), html.text(support.bare([one, other]))):
        assert verdicts.UNKNOWN not in text and 'None of them was in this run' in text
    told = findings.in_run(support.bare([one, other, forklift(MEMORY, 'alone', 1)]))
    assert {(each.conclusion, each.subject, each.result) for each in told} >= {
        ('a temporary memory file gains nothing', 'Forklift', verdicts.UNKNOWN)} and {each.subject for each in told} == {'Forklift'}
    spoilt = findings.in_run(support.bare([invalid(forklift(MEMORY, 'alone', 1), 'lost a byte')]))
    assert [each.conclusion for each in spoilt] == ['a temporary memory file gains nothing']


# README's table

def of_readme(report):
    """{first words of a line: {column: cell}}."""
    lines = [[word.strip() for word in line.strip('| ').split('|')] for line in readme.text(report).split('\n\n')[0].split('\n')]
    lines = [[''] * (len(lines[1]) - len(line)) + line for line in lines]
    return {line[0].split(':')[0]: dict(zip(lines[0][1:], line[1:])) for line in lines[2:]}


def test_the_table_of_the_readme_is_what_its_report_gives():
    printed = readme.text(model.load(os.path.join(support.ROOT, 'docs', 'results', 'article', 'report.json')))
    with open(os.path.join(support.ROOT, 'README.md'), encoding='utf-8') as file:
        assert printed in file.read(), 'bench report docs/results/article --readme prints it'


def test_the_readme_compares_one_process_with_one_as_the_findings_do():
    rows = [row(cell('forklift', DISK, 'alone'), 200), row(cell('forklift', DISK, 'x1'), 300), row(cell('nginx', DISK, 'x1'), 240),
            row(cell('nginx', DISK, 'xN', 2), 100), row(cell('h2o', DISK), 200.5), row(cell('floor', DISK), 150),
            invalid(row(cell('caddy', DISK), 100), 'lost')]
    report = support.bare(rows)
    line = of_readme(report)['upload, raw body']
    assert list(line) == ['Forklift alone', 'nginx ×1', 'h2o alone', 'caddy alone'] and line['caddy alone'] == 'INVALID'
    assert line['nginx ×1'].startswith('2') and float(line['nginx ×1']) == pytest.approx(240, rel=0.02)
    assert re.fullmatch(r'\*\*20\d\*\*', line['Forklift alone']) or re.fullmatch(r'\*\*199\*\*', line['Forklift alone'])
    assert line['h2o alone'].endswith('** ≈')
    assert re.search(r'Forklift alone and nginx ×1: Forklift beats it by 1\.[12]', said(report))
    assert re.search('Forklift alone and h2o alone: no difference', said(report))
    assert '`POST /files/' + DISK in readme.text(report) and '6 % of all ratios' in ' '.join(readme.text(report).split())
