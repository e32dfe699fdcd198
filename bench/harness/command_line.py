"""What the commands share of their command lines: errors of one line, and what an option takes said in words."""

import argparse

USAGE = 2  # exit status of wrong usage


class Parser(argparse.ArgumentParser):
    """A mistake is answered by one line that names the option, what it was given and what it takes; exit status USAGE."""

    def __init__(self, **how):
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, **how)

    def error(self, message):
        self.exit(USAGE, f'{self.prog}: {message.removeprefix("argument ")} (see {self.prog} --help)\n')


def number(text, kind, fits, words):
    """An option's number. kind: makes it (int, float); fits: whether it may be that one; words: what it must be."""
    try:
        value = kind(text)
        if fits(value) and value < 1e15:
            return value
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f'{text!r} is no {words}')


def count(text):
    return number(text, int, lambda value: value >= 1, 'whole number from 1 on')


def amount(text):
    return number(text, float, lambda value: value > 0, 'number greater than 0')


def whole(text):
    return number(text, int, lambda value: value >= 0, 'whole number from 0 on')


def percent(text):
    return number(text, float, lambda value: value >= 0, 'percentage from 0 on')
