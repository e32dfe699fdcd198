"""Rows of text as a Markdown table that is also readable as it is."""


def markdown(header, rows):
    """Rows of text, the first column to the left, the rest to the right."""
    widths = [max(len(row[i]) for row in [header] + rows) for i in range(len(header))]

    def line(row):
        cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        return '| ' + ' | '.join(cells) + ' |'

    rule = '|' + '|'.join(['-' * (widths[0] + 2)] + ['-' * (width + 1) + ':' for width in widths[1:]]) + '|'
    return '\n'.join([line(header), rule] + [line(row) for row in rows])
