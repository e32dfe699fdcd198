"""The report's page in a real browser: at a phone's width and a desk's, light and dark, everything has its place."""

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import browser_support  # noqa: E402
import report_support as support  # noqa: E402
from report import html  # noqa: E402

pytestmark = pytest.mark.skipif(bool(browser_support.missing()), reason=browser_support.missing() or 'nothing')

VIEWS = [(width, scheme) for width in (390, 1280) for scheme in ('light', 'dark')]
SECTIONS = ('verdicts', 'findings', 'cpu', 'rate', 'strategies', 'latency', 'size', 'scaling', 'balance', 'article', 'results', 'ceilings',
            'versions', 'machine', 'reproduce')

# Each script returns a list of complaints, in words.
CHARTS = '''
const complaints = [];
for (const name of ['cpu', 'rate', 'strategies', 'latency', 'size', 'scaling', 'balance']) {
  const charts = document.querySelectorAll(`#${name} svg.chart`);
  if (!charts.length) complaints.push(`${name} has no chart`);
  for (const chart of charts) {
    const box = chart.getBoundingClientRect();
    if (box.width < 250 || box.height < 20) complaints.push(`${name}: a chart of ${box.width} x ${box.height}`);
    if (!chart.querySelector('rect, polyline, circle, text.bad, text.muted')) complaints.push(`${name}: an empty chart`);
  }
}
return complaints;'''

OVERFLOW = '''
const wide = document.documentElement.clientWidth, complaints = [];
if (document.documentElement.scrollWidth > wide) complaints.push(`the page is ${document.documentElement.scrollWidth} wide`);
for (const element of document.querySelectorAll('body *')) {
  if (element.closest('.scroll, pre') && !element.matches('.scroll, pre')) continue;
  const box = element.getBoundingClientRect();
  if (box.width && (box.right > wide + 0.5 || box.left < -0.5))
    complaints.push(`${element.tagName} ${box.left}..${box.right}: ${element.textContent.slice(0, 60)}`);
}
for (const text of document.querySelectorAll('svg.chart text')) {
  const box = text.getBoundingClientRect(), chart = text.ownerSVGElement.getBoundingClientRect();
  if (box.left < chart.left - 0.5 || box.right > chart.right + 0.5 || box.top < chart.top - 2 || box.bottom > chart.bottom + 2)
    complaints.push(`cut off by its chart: ${text.lastChild.textContent}`);
}
return complaints;'''

OVERLAP = '''
const complaints = [];
for (const chart of document.querySelectorAll('svg.chart')) {
  const texts = [...chart.querySelectorAll('text')].map(text => [text.lastChild.textContent, text.getBoundingClientRect()]);
  texts.forEach(([left, a], index) => texts.slice(index + 1).forEach(([right, b]) => {
    if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 0.5 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2)
      complaints.push(`"${left}" and "${right}" overlap in ${chart.querySelector('title').textContent}`);
  }));
}
return complaints;'''

# WCAG's contrast ratio of what is written to what is behind it; 4.5 for text, 3 for what is drawn.
CONTRAST = '''
const parse = colour => colour.match(/[\\d.]+/g).map(Number);
const light = colour => {
  const [r, g, b] = parse(colour).slice(0, 3).map(v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const behind = element => {
  for (; element; element = element.parentElement) {
    const colour = getComputedStyle(element).backgroundColor;
    if (parse(colour).length < 4 || parse(colour)[3] > 0) return colour;
  }
  return 'rgb(255, 255, 255)';
};
const seen = {};
const check = (element, colour, least, what) => {
  const [a, b] = [light(colour), light(behind(element))];
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < least) seen[`${what}: ${colour} on ${behind(element)} is ${ratio.toFixed(2)}`] = 1;
};
for (const element of document.querySelectorAll('body *')) {
  if (element.closest('svg')) continue;
  if ([...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim()))
    check(element, getComputedStyle(element).color, 4.5, element.tagName + '.' + element.className);
}
for (const text of document.querySelectorAll('svg.chart text'))
  check(text.ownerSVGElement.parentElement, getComputedStyle(text).fill, 4.5, 'chart text ' + text.getAttribute('class'));
for (const bar of document.querySelectorAll('svg.chart .bar:not(.bound), svg.chart .mark'))
  check(bar.ownerSVGElement.parentElement, getComputedStyle(bar).fill, 3, 'drawn ' + bar.getAttribute('class'));
for (const curve of document.querySelectorAll('svg.chart .curve, svg.chart .bar.bound'))
  check(curve.ownerSVGElement.parentElement, getComputedStyle(curve).stroke, 3, 'drawn ' + curve.getAttribute('class'));
return Object.keys(seen);'''


@pytest.fixture(scope='module')
def browser():
    with browser_support.Browser() as opened:
        yield opened


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Where pages and screenshots go: the build directory under ctest."""
    wanted = os.environ.get('FORKLIFT_REPORT_PAGES')
    if not wanted:
        return str(tmp_path_factory.mktemp('pages'))
    os.makedirs(wanted, exist_ok=True)
    return wanted


@pytest.fixture(scope='module')
def page(folder):
    path = os.path.join(folder, 'full.html')
    with open(path, 'w', encoding='utf-8') as file:
        file.write(html.text(support.full()))
    return path


def see(browser, page, width, scheme):
    browser.be(width, scheme)
    browser.open(page)
    assert browser.run('return matchMedia("(prefers-color-scheme: dark)").matches') == (scheme == 'dark')
    browser.run('document.querySelectorAll("details").forEach(each => each.open = true)')


@pytest.mark.parametrize('width, scheme', VIEWS)
def test_every_part_of_the_page_has_its_place(browser, page, folder, width, scheme):
    see(browser, page, width, scheme)
    browser.screenshot(os.path.join(folder, f'full-{width}-{scheme}.png'))
    assert browser.run('return [...document.querySelectorAll("main > section")].map(each => each.id)') == list(SECTIONS)
    for what, script in (('charts', CHARTS), ('overflow', OVERFLOW), ('overlap', OVERLAP), ('contrast', CONTRAST)):
        assert browser.run(script) == [], what


def test_a_page_that_is_spoilt_is_noticed(browser, page, folder):
    """The checks above can fail: a chart gone, a label moved onto another, a line too wide, grey on grey."""
    spoilt = {
        'document.querySelector("#size svg.chart").style.height = "3px"': CHARTS,
        'document.querySelectorAll("#size .panels").forEach(each => each.remove())': CHARTS,
        'document.querySelector("h1").style.width = "2000px"': OVERFLOW,
        'document.querySelector("svg.chart text").setAttribute("x", "-40")': OVERFLOW,
        'const [a, b] = document.querySelectorAll("svg.chart text"); b.replaceWith(a.cloneNode(true))': OVERLAP,
        'document.querySelector("p").style.color = "#d0d0d0"': CONTRAST,
        'document.querySelector("svg.chart .bar").style.fill = "#e8e8e8"': CONTRAST,
    }
    for change, script in spoilt.items():
        see(browser, page, 1280, 'light')
        assert browser.run(script) == []
        browser.run(change)
        assert browser.run(script), change


@pytest.mark.parametrize('name, report', [
    ('none', support.bare()),
    ('one', support.bare([support.forklift(support.DISK, 'alone', 1, runs=1)])),
    ('skipped', support.bare([support.Row(support.cell('caddy', 'GET', 'x1'), skipped='caddy is not installed')])),
])
def test_a_report_of_hardly_anything_is_a_page_too(browser, folder, name, report):
    path = os.path.join(folder, f'{name}.html')
    with open(path, 'w', encoding='utf-8') as file:
        file.write(html.text(report))
    see(browser, path, 390, 'light')
    for script in (OVERFLOW, OVERLAP, CONTRAST):
        assert browser.run(script) == []
    empty = 'return [...document.querySelectorAll("svg.chart")].filter(each => !each.querySelector("rect, polyline, text")).length'
    assert browser.run(empty) == 0
