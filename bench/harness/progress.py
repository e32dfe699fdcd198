"""How far a benchmark is: one line with the time left on a terminal, a plain line now and then anywhere else."""

import shutil
import sys
import time

PLAIN_EVERY_S = 30


def duration_text(seconds):
    """'45 s', '3 min 20 s', '2 h 05 min'."""
    seconds = max(0, round(seconds))
    if seconds < 60:
        return f'{seconds} s'
    if seconds < 3600:
        return f'{seconds // 60} min {seconds % 60:02} s'
    return f'{seconds // 3600} h {seconds % 3600 // 60:02} min'


class Progress:
    """Steps are announced with their planned seconds; what the steps so far really took corrects what is said of the rest."""

    def __init__(self, planned_s, stream=None, quiet=False):
        self.stream, self.quiet = stream or sys.stderr, quiet
        self.terminal = self.stream.isatty()
        self.left_s, self.done_s = planned_s, 0.0  # planned
        self.started = self.step_started = time.monotonic()
        self.taken_s = 0.0
        self.current = 0.0
        self.last_plain = 0.0
        self.on_line = False

    def step(self, text, planned_s):
        """The next one begins, the last one is over."""
        self._finish_step()
        self.current = planned_s
        now = time.monotonic()
        if self.quiet:
            return
        if self.terminal:
            self._line(f'{text}  ·  {duration_text(self.remaining_s())} left')
        elif now - self.last_plain >= PLAIN_EVERY_S or not self.last_plain:
            self.last_plain = now
            print(f'bench: {text}; {duration_text(self.remaining_s())} left', file=self.stream, flush=True)

    def remaining_s(self):
        pace = self.taken_s / self.done_s if self.done_s > 5 else 1.0
        return self.left_s * pace

    def more(self, planned_s):
        """Steps that were not foreseen (or, negative, that fall away)."""
        self.left_s = max(0.0, self.left_s + planned_s)

    def note(self, text):
        """A line that stays."""
        self._clear()
        print(f'bench: {text}', file=self.stream, flush=True)

    def close(self):
        self._finish_step()
        self._clear()

    def _finish_step(self):
        now = time.monotonic()
        if self.current:
            self.taken_s += now - self.step_started
            self.done_s += self.current
            self.left_s = max(0.0, self.left_s - self.current)
        self.current, self.step_started = 0.0, now

    def _line(self, text):
        width = shutil.get_terminal_size().columns - 1
        print('\r' + text[:width].ljust(width), end='', file=self.stream, flush=True)
        self.on_line = True

    def _clear(self):
        if self.on_line:
            print('\r\x1b[K', end='', file=self.stream, flush=True)
            self.on_line = False
