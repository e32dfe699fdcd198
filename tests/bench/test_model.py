"""Reports as files: nothing is lost, and what is no report is refused in words."""

import json
import os

import pytest

from support import cell, model, report, rng, row, run


@pytest.fixture
def full():
    random = rng()
    spoilt = row(random)
    spoilt.runs[1].invalid.append('3 answers were 500')
    return report(spoilt, row(random, the_cell=cell(tool='open', rate=500.0), bound_by='the client'),
                  row(random, runs=0, the_cell=cell('caddy'), skipped='caddy is not installed'), row(random, 0, cell('h2o')),
                  commands=['master --workers 2'], seed=7, seconds=12.5)


def test_a_report_comes_back_from_its_file_as_it_was(full, tmp_path):
    path = str(tmp_path / 'report.json')
    full.save(path)
    again = model.load(path)
    assert again.to_json() == full.to_json()
    assert [each.cell for each in again.rows] == [each.cell for each in full.rows]
    assert [each.state for each in again.rows] == ['INVALID', 'ok', 'skipped', 'missing']
    assert again.rows[1].runs[0].histogram.percentile(99) == full.rows[1].runs[0].histogram.percentile(99) > 0
    assert again.ceilings == full.ceilings and again.environment == full.environment and again.complete
    again.save(path + '2')
    assert open(path, 'rb').read() == open(path + '2', 'rb').read()


def test_a_report_that_was_stopped_half_way_loads(tmp_path):
    path = str(tmp_path / 'report.json')
    random = rng()
    report(row(random), row(random, 0, cell('nginx')), complete=False, ceilings=[]).save(path)
    again = model.load(path)
    assert not again.complete
    assert [each.state for each in again.rows] == ['ok', 'missing']


def test_a_save_that_fails_leaves_the_report_before_it(full, tmp_path):
    path = str(tmp_path / 'report.json')
    full.save(path)
    full.environment['bad'] = object()
    with pytest.raises(TypeError):
        full.save(path)
    assert model.load(path).seed == 7


def edited(full, change):
    data = json.loads(json.dumps(full.to_json()))
    change(data)
    return json.dumps(data)


WRONG = {
    'empty': lambda full: '',
    'cut': lambda full: json.dumps(full.to_json())[:-100],
    'binary': lambda full: b'\xff\xfe\x00\x80',
    'a list': lambda full: '[]',
    'another program\'s': lambda full: '{"name": "left-pad"}',
    'no rows': lambda full: edited(full, lambda data: data.pop('rows')),
    'no preset': lambda full: edited(full, lambda data: data.pop('preset')),
    'a field too many': lambda full: edited(full, lambda data: data.update(colour='red')),
    'a cell without a server': lambda full: edited(full, lambda data: data['rows'][0]['cell'].pop('server')),
    'a cell that cannot be compared': lambda full: edited(full, lambda data: data['rows'][0]['cell'].update(server=[])),
    'words for a figure': lambda full: edited(full, lambda data: data['rows'][0]['runs'][0].update(seconds='long')),
    'a histogram of words': lambda full: edited(full, lambda data: data['rows'][0]['runs'][0].update(histogram=[['a', 'b']])),
    'an environment that is none': lambda full: edited(full, lambda data: data.update(environment=None)),
    'a ceiling without interval': lambda full: edited(full, lambda data: data['ceilings'][0].pop('interval')),
}


@pytest.mark.parametrize('how', WRONG)
def test_a_file_that_is_no_report_is_named_in_words(how, full, tmp_path):
    content = WRONG[how](full)
    path = tmp_path / 'report.json'
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(model.BadReport, match='report.json: not a report of this program'):
        model.load(str(path))


def test_a_report_of_another_version_says_which(full, tmp_path):
    path = tmp_path / 'report.json'
    path.write_text(edited(full, lambda data: data.update(schema=99)))
    with pytest.raises(model.BadReport, match='report.json: schema 99, this program reads 1'):
        model.load(str(path))


def test_a_file_that_is_not_there_and_a_directory_are_named(tmp_path):
    with pytest.raises(model.BadReport, match='none.json: No such file'):
        model.load(str(tmp_path / 'none.json'))
    with pytest.raises(model.BadReport, match='Is a directory'):
        model.load(str(tmp_path))
    assert not os.listdir(tmp_path)


def test_one_bad_run_spoils_its_cell():
    spoilt = row(rng())
    assert spoilt.state == 'ok' and len(spoilt.good) == 5
    spoilt.runs[4].invalid.append('a worker died')
    assert spoilt.state == 'INVALID' and len(spoilt.good) == 4


def test_figures_of_a_run_are_what_they_are_called():
    made = run(rng(), seconds=2.0, requests=1000, server_cpu_s=0.5, machine_cpu_s=1.0, client_cpu_s=1.0, latency_mean_ms=20.0)
    assert (made.rate, made.cpu_us_per_request, made.machine_us_per_request) == (500, 500, 1000)
    assert (made.client_busy, made.concurrency) == (0.5, 10)
    none = run(rng(), seconds=0.0, requests=0)
    assert (none.rate, none.cpu_us_per_request, none.machine_us_per_request, none.client_busy) == (0, 0, 0, 0)


def test_cells_of_different_loads_have_different_keys():
    cells = [cell(), cell(connections=10), cell(bytes=1), cell(tool='open', rate=10.0), cell(tool='open', rate=20.0),
             cell(durability='read'), cell(model='xN', workers=2), cell('nginx'), cell(endpoint='PUT')]
    assert len({each.key for each in cells}) == len(cells)


def test_a_row_is_found_by_what_its_cell_is(full):
    assert full.row(server='caddy').skipped and full.row(tool='open', rate=500.0).bound_by
    assert full.row(server='caddy', tool='open') is None
