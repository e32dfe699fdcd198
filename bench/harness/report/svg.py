"""Scales and a drawing: inline SVG with a title and a description, styled by the classes of page.css."""

import math
from html import escape

WIDTH = 360         # a panel's own width: as wide as a phone, and a third of a wide page
GLYPH = 6.8         # px a character of the charts' 11 px type takes at most in the mean, in the widest of the usual fonts


class Linear:
    """From figures to pixels."""

    def __init__(self, low, high, start, end):
        self.low, self.high, self.start, self.end = low, high if high > low else low + 1, start, end

    def __call__(self, value):
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self, wanted=4):
        step = nice((self.high - self.low) / wanted)
        first = math.ceil(self.low / step - 1e-9)
        return [index * step for index in range(first, int(self.high / step + 1e-9) + 1)]


class Log(Linear):
    """The same over powers of ten; bounds are rounded out to ticks."""

    def __init__(self, low, high, start, end):
        self.values = _log_ticks(low, high)
        super().__init__(math.log10(self.values[0]), math.log10(self.values[-1]), start, end)

    def __call__(self, value):
        return super().__call__(math.log10(max(value, self.values[0])))

    def ticks(self, wanted=5):
        if len(self.values) <= wanted:
            return self.values
        decades = [value for value in self.values if abs(math.log10(value) - round(math.log10(value))) < 1e-9]
        return decades[::math.ceil(len(decades) / wanted)]


def _log_ticks(low, high):
    """1, 2, 5, 10 … from the one below `low` to the one above `high`."""
    powers = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 2)
    steps = [digit * 10.0 ** power for power in powers for digit in (1, 2, 5)]
    first = max(index for index, step in enumerate(steps) if step <= low * (1 + 1e-9))
    last = min(index for index, step in enumerate(steps) if step >= high * (1 - 1e-9))
    return steps[first:max(last, first + 1) + 1]


def nice(step):
    """The next of 1, 2, 5, 10 … above a step."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(digit * power for digit in (1, 2, 5, 10) if digit * power >= step * (1 - 1e-9))


def shorten(text, pixels):
    """Cut so that it fits; the whole text belongs into a <title>."""
    fits = max(2, int(pixels / GLYPH))
    return text if len(text) <= fits else text[:fits - 1] + '…'


class Drawing:
    """Collects elements; text() gives the whole. Whoever draws keeps texts apart."""

    def __init__(self, height, title, description):
        self.height, self.title, self.description, self.parts = height, title, description, []

    def add(self, tag, css='', title='', **attributes):
        words = ''.join(f' {name.replace("_", "-")}="{_plain(value)}"' for name, value in attributes.items())
        inside = f'<title>{escape(title)}</title>' if title else ''
        self.parts.append(f'<{tag}{_class(css)}{words}>{inside}</{tag}>' if inside else f'<{tag}{_class(css)}{words}/>')

    def line(self, x1, y1, x2, y2, css):
        self.add('line', css, x1=x1, y1=y1, x2=x2, y2=y2)

    def words(self, x, y, text, css='', anchor='start', title=''):
        inside = (f'<title>{escape(title)}</title>' if title else '') + escape(text)
        self.parts.append(f'<text{_class(css)} x="{_plain(x)}" y="{_plain(y)}" text-anchor="{anchor}">{inside}</text>')

    def mark(self, x, y, shape, css, title=''):
        """A marker of about 7 px: its shape tells servers apart where colours do not."""
        if shape == 0:
            self.add('circle', css, title, cx=x, cy=y, r=3.2)
        elif shape == 1:
            self.add('rect', css, title, x=x - 2.9, y=y - 2.9, width=5.8, height=5.8)
        else:
            points = ((0, -4), (3.8, 3), (-3.8, 3)) if shape == 2 else ((0, -4.2), (4.2, 0), (0, 4.2), (-4.2, 0))
            self.add('polygon', css, title, points=' '.join(f'{_plain(x + dx)},{_plain(y + dy)}' for dx, dy in points))

    def text(self):
        return (f'<svg class="chart" viewBox="0 0 {WIDTH} {_plain(self.height)}" role="img" aria-label="{escape(self.title)}">'
                f'<title>{escape(self.title)}</title><desc>{escape(self.description)}</desc>'
                + ''.join(self.parts) + '</svg>')


def _class(css):
    return f' class="{css}"' if css else ''


def _plain(value):
    return f'{value:.1f}'.removesuffix('.0') if isinstance(value, float) else escape(str(value))
