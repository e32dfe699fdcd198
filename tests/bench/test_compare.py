"""bench compare: planted regressions are found, noise is not, and what can't be compared isn't."""

import json
import re

import pytest

from support import cell, model, report, rng, row, run  # noqa: F401: model: the way to the harness
import compare


@pytest.fixture
def reports(tmp_path):
    """Saves two reports and compares them by main."""
    def both(before, after, *options):
        paths = [str(tmp_path / 'a.json'), str(tmp_path / 'b.json')]
        for path, each in zip(paths, (before, after)):
            each.save(path)
        return compare.main([*paths, *options])
    return both


def verdicts(before, after, **how):
    return {each.metric.name: each.verdict for each in compare.compare(before, after, **how)}


def test_a_planted_regression_is_found_in_every_metric(reports, capsys):
    before, after = report(row(rng(1))), report(row(rng(2), slower=1.3))
    assert verdicts(before, after) == dict.fromkeys(('cpu', 'rate', 'p99', 'memory'), 'worse')
    assert reports(before, after) == 1
    out = capsys.readouterr().out
    assert re.search(r'REGRESSION forklift alone\(1\) upload/single .* CPU per request \+\d\d\.\d % \(\+\d', out)
    assert out.count('REGRESSION') == 4


def test_an_improvement_is_better_and_no_regression(reports, capsys):
    before, after = report(row(rng(1), slower=1.3)), report(row(rng(2)))
    assert verdicts(before, after) == dict.fromkeys(('cpu', 'rate', 'p99', 'memory'), 'better')
    assert reports(before, after) == 0
    assert 'No regression of more than 5 % outside the noise.' in capsys.readouterr().out


def test_noise_alone_is_seldom_more_than_noise():
    rounds = 300
    found = [each.verdict for seed in range(rounds)
             for each in compare.compare(report(row(rng(seed))), report(row(rng(seed + 10 ** 6))))]
    assert 0 < len(found) - found.count('≈') < 0.06 * len(found)


def test_noise_is_no_regression_even_where_chance_takes_it_out_of_its_interval(reports):
    for seed in range(100):
        assert reports(report(row(rng(seed))), report(row(rng(seed + 10 ** 6))), '--metric', 'cpu,rate') == 0


def test_a_change_that_drowns_in_its_noise_is_not_told():
    before, after = report(row(rng(1), noise=0.5)), report(row(rng(2), noise=0.5, slower=1.1))
    assert verdicts(before, after)['cpu'] == '≈'


def test_a_small_loss_is_worse_but_a_regression_only_beyond_the_threshold(reports):
    before, after = report(row(rng(1), noise=0.001)), report(row(rng(2), slower=1.03, noise=0.001))
    assert verdicts(before, after)['cpu'] == 'worse'
    assert reports(before, after, '--metric', 'cpu,rate') == 0
    assert reports(before, after, '--metric', 'cpu', '--threshold', '2') == 1
    assert reports(before, after, '--metric', 'rate', '--threshold', '2') == 1


def test_an_invalid_cell_is_not_compared_and_its_reason_is_told():
    after = report(row(rng(2)))
    after.rows[0].runs[2].invalid.append('3 answers were 500')
    for one, other in ((report(row(rng(1))), after), (after, report(row(rng(1))))):
        found = compare.compare(one, other)
        assert {each.verdict for each in found} == {'not comparable'}
        assert all(re.fullmatch(r'INVALID in [AB]: 3 answers were 500', each.why) for each in found)


def test_a_cell_that_was_served_well_and_is_invalid_now_is_a_regression(reports, capsys):
    fine, spoilt = report(row(rng(1))), report(row(rng(2)))
    spoilt.rows[0].runs[2].invalid.append('3 answers were 500')
    assert reports(fine, spoilt) == 1
    assert 'ok in A, INVALID in B: 3 answers were 500' in capsys.readouterr().out
    assert reports(fine, spoilt, '--allow-missing') == 1
    assert reports(spoilt, fine) == 2  # nothing to compare: no reason to be content


def test_a_cell_that_was_invalid_and_is_served_well_now_is_told(reports, capsys):
    spoilt, other = report(row(rng(1)), row(rng(3), the_cell=cell('nginx'))), report(row(rng(2)), row(rng(4), the_cell=cell('nginx')))
    assert reports(spoilt, other, '--metric', 'cpu') == 0 and 'MENDED' not in capsys.readouterr().out
    spoilt.rows[0].runs[2].invalid.append('3 answers were 500')
    assert reports(spoilt, other, '--metric', 'cpu') == 0
    out = capsys.readouterr().out
    assert out.count('MENDED') == 1
    assert f'MENDED {cell().key}: INVALID in A: 3 answers were 500, ok in B' in out


@pytest.mark.parametrize('other,why', [
    (lambda: report(), 'not in B'),
    (lambda: report(row(rng(2), runs=0)), 'missing in B'),
    (lambda: report(row(rng(2), runs=0, skipped='caddy is not installed')), 'skipped in B: caddy is not installed'),
    (lambda: report(row(rng(2), the_cell=cell(connections=10))), 'not in B'),
    (lambda: report(row(rng(2), shared_cores=True)), 'server and client shared cores in one of the two'),
    (lambda: report(row(rng(2), runs=1)), 'too few runs to tell from noise (5 and 1)'),
])
def test_what_cannot_be_compared_is_not_and_says_why(other, why, reports):
    found = [each for each in compare.compare(report(row(rng(1))), other()) if each.cell == cell()]
    assert [(each.verdict, each.why) for each in found] == [('not comparable', why)] * 4
    assert reports(report(row(rng(1))), other(), '--allow-missing') == 2


@pytest.mark.parametrize('other,why', [
    (lambda: [], 'not in B'),
    (lambda: [row(rng(2), runs=0)], 'missing in B'),
    (lambda: [row(rng(2), runs=0, skipped='nginx is not installed')], 'skipped in B: nginx is not installed'),
])
def test_a_cell_that_was_ok_and_is_not_there_now_is_a_regression_unless_that_is_allowed(other, why, reports, capsys):
    kept = [row(rng(seed), the_cell=cell('nginx')) for seed in (3, 4)]
    before, after = report(row(rng(1)), kept[0]), report(*other(), kept[1])
    assert reports(before, after, '--metric', 'cpu') == 1
    out = capsys.readouterr().out
    assert f'REGRESSION {cell().key}: ok in A, {why}' in out and out.count('REGRESSION') == 1 and '--allow-missing' in out
    assert reports(before, after, '--metric', 'cpu', '--allow-missing') == 0
    assert 'REGRESSION' not in capsys.readouterr().out
    assert reports(after, before, '--metric', 'cpu') == 0


def test_what_chance_takes_out_of_the_noise_is_as_many_as_is_said(reports, capsys):
    """Over many pairs of equal reports with three runs each, so that the figure is not small."""
    def many(seed):
        return report(*(row(rng(seed + number), runs=3, the_cell=cell(connections=number + 1)) for number in range(40)))
    said = out_of_noise = 0
    for seed in range(0, 20000, 1000):
        comparisons = compare.compare(many(seed), many(seed + 500), compare.METRICS[:1])
        line = next(line for line in compare.summary(comparisons, 5.0) if 'chance alone' in line)
        said += int(re.search(r'about (\d+) of these 40 ', line)[1])
        out_of_noise += sum(each.verdict in ('better', 'worse') for each in comparisons)
    assert 0.7 * said < out_of_noise < 1.3 * said, (said, out_of_noise)


def test_a_cell_that_only_the_second_report_has_is_shown():
    found = compare.compare(report(), report(row(rng(2))))
    assert {(each.verdict, each.why) for each in found} == {('not comparable', 'not in A')}


@pytest.mark.parametrize('bound', [0, 1])
def test_the_rate_of_a_row_that_is_bound_by_something_else_is_not_compared_but_its_cpu_is(bound):
    rows = [row(rng(seed), slower=1 + seed / 2, bound_by='the client' if seed == bound else '') for seed in (0, 1)]
    found = {each.metric.name: each for each in compare.compare(*(report(each) for each in rows))}
    assert (found['rate'].verdict, found['rate'].why) == ('not comparable', f'bound by the client in {"AB"[bound]}')
    assert found['cpu'].verdict == 'worse'


def test_the_rate_of_an_open_loop_was_given_and_is_not_compared():
    opened = cell(tool='open', rate=500.0)
    found = verdicts(report(row(rng(1), the_cell=opened)), report(row(rng(2), slower=1.5, the_cell=opened)))
    assert found == {'cpu': 'worse', 'rate': 'not comparable', 'p99': 'worse', 'memory': 'worse'}


def test_three_runs_are_enough_and_it_says_what_they_are_worth():
    found = compare.compare(report(row(rng(1), runs=3)), report(row(rng(2), runs=3, slower=1.5)))
    assert {(each.verdict, each.why) for each in found} == {('worse', 'few runs: a 90% interval')}
    assert set(verdicts(report(row(rng(1), runs=2)), report(row(rng(2), runs=2, slower=1.5))).values()) == {'not comparable'}


def test_a_run_without_a_figure_is_not_compared():
    assert verdicts(report(row(rng(1), memory_peak_bytes=0)), report(row(rng(2))))['memory'] == 'not comparable'


def test_equal_figures_are_no_difference():
    same = report(row(rng(1)))
    found = compare.compare(same, same)
    assert {each.verdict for each in found} == {'≈'}
    assert all(each.a == each.b and each.low <= each.ratio <= each.high for each in found)


def test_what_differs_between_the_machines_is_a_warning_and_the_commit_is_not(reports, capsys):
    after = report(row(rng(2)), environment={'kernel': '6.12', 'CPU': 'one', 'commit': 'def', 'governor': 'powersave'},
                   peers={'nginx': {'version': '1.26', 'notes': []}}, complete=False)
    assert reports(report(row(rng(1))), after) == 0
    out = capsys.readouterr().out
    warned = re.findall('warning: (.*)', out)
    assert warned == ['kernel differs: 6.1 in A, 6.12 in B', 'governor differs: not said in A, powersave in B',
                      'nginx differs: 1.22 in A, 1.26 in B', 'B is partial: it was stopped before the end']
    assert 'commit abc' in out and 'commit def' in out


def test_another_strategy_is_mentioned():
    found = compare.compare(report(row(rng(1), strategy='splice')), report(row(rng(2), strategy='blocking')))
    assert {each.why for each in found} == {'strategy splice, then blocking'}


def test_only_the_chosen_metrics_are_judged(reports, capsys):
    before, after = report(row(rng(1))), report(row(rng(2)))
    for each in after.rows[0].runs:
        each.memory_peak_bytes *= 3
    assert reports(before, after, '--metric', 'cpu,p99') == 0
    assert 'memory' not in capsys.readouterr().out
    assert reports(before, after, '--metric', 'memory') == 1


def test_the_markdown_is_one_table_whose_rows_have_as_many_columns_as_its_head(reports, capsys):
    spoilt = row(rng(3), the_cell=cell('nginx'))
    spoilt.runs[0].invalid.append('odd | reason\nof two lines')
    assert reports(report(row(rng(1)), row(rng(4), the_cell=cell('nginx'))), report(row(rng(2), slower=1.3), spoilt),
                   '--format', 'markdown') == 1
    table = [line for line in capsys.readouterr().out.splitlines() if line.startswith('|')]
    assert len(table) == 2 + 8
    assert {len(re.findall(r'(?<!\\)\|', line)) for line in table} == {6}
    assert '**worse**' in table[2]


def test_the_json_says_the_same(reports, capsys):
    assert reports(report(row(rng(1))), report(row(rng(2), slower=1.3)), '--format', 'json') == 1
    data = json.loads(capsys.readouterr().out)
    assert data['exit_status'] == 1
    first = data['comparisons'][0]
    assert first['cell']['server'] == 'forklift' and first['metric'] == 'cpu' and first['verdict'] == 'worse' and first['regression']
    assert 1.2 < first['low'] < first['ratio'] < first['high'] < 1.4
    assert first['ratio'] == pytest.approx(first['b'] / first['a'], rel=0.05)


def test_colour_is_for_terminals_that_want_it(reports, capsys, monkeypatch):
    def shown():
        reports(report(row(rng(1))), report(row(rng(2), slower=1.3)))
        return capsys.readouterr().out
    monkeypatch.delenv('NO_COLOR', raising=False)
    assert '\033[' not in shown()
    monkeypatch.setattr('sys.stdout.isatty', lambda: True)
    assert '\033[1;31m' in shown()
    monkeypatch.setenv('NO_COLOR', '1')
    assert '\033[' not in shown()


@pytest.mark.parametrize('options', [('--metric', 'speed'), ('--threshold', 'nan'), ('--threshold', 'inf'), ('--threshold=-1',),
                                     ('--threshold', 'much'), ('--format', 'xml'), ('c.json',)])
def test_wrong_usage_is_2_in_words(options, reports, capsys):
    assert reports(report(row(rng(1))), report(row(rng(1))), *options) == 2
    assert 'bench compare: ' in capsys.readouterr().err


@pytest.mark.parametrize('number', ['NaN', '-Infinity', '1e999', '9' * 400], ids=['NaN', '-Infinity', '1e999', 'long'])
@pytest.mark.parametrize('place', ['seconds', 'requests', 'histogram', 'interval', 'connections_per_worker'])
def test_a_number_that_is_none_makes_no_report(number, place, tmp_path, capsys):
    report(row(rng(1))).save(str(tmp_path / 'a.json'))
    text, changed = re.subn(rf'("{place}":[\s\[]*)\d[\d.]*', rf'\g<1>{number}', (tmp_path / 'a.json').read_text(), count=1)
    (tmp_path / 'b.json').write_text(text)
    assert changed
    assert compare.main([str(tmp_path / 'a.json'), str(tmp_path / 'b.json')]) == 2
    said = capsys.readouterr()
    assert 'b.json: not a report of this program' in said.err and said.err.count('\n') == 1 and said.out == ''


def test_what_is_compared_cannot_command_a_terminal(reports, capsys):
    evil = [report(row(rng(1), the_cell=cell('n\x1b[2J')), environment={'kernel': version}, commands=['\x1b']) for version in ('\x1b1', '\x1b2')]
    for form in ('text', 'markdown', 'json'):
        assert reports(*evil, '--format', form) == 0
        said = capsys.readouterr().out
        assert '\x1b' not in said and '\\x1b[2J' in said


@pytest.mark.parametrize('paths', [(), ('one.json',), ('none.json', 'none.json')])
def test_reports_that_are_missing_are_2_in_words(paths, capsys):
    assert compare.main(list(paths)) == 2
    assert 'bench compare: ' in capsys.readouterr().err


def test_a_folder_of_a_report_serves_as_its_report(tmp_path):
    report(row(rng(1))).save(str(tmp_path / 'report.json'))
    assert compare.main([str(tmp_path), str(tmp_path)]) == 0
