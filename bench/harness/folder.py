"""The folder of a report: whether it can be written is found out before anything is measured; and what is kept when it can't after all."""

import errno
import os
import tempfile

import report as reports

NAMES = {f'report.{suffix}{new}' for suffix in ('json', *reports.FORMATS) for new in ('', '.new')}
ROOM_BYTES, ROW_BYTES, RUN_BYTES = 512 << 10, 8 << 10, 8 << 10  # of all files: so much, and more for each row and each run

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class FolderError(Exception):
    """No report can be written there, with the remedy."""


def room_for(plan):
    """Bytes that the report of a plan needs at most, both while a file is replaced and its old one is there."""
    return ROOM_BYTES + len(plan.cells) * (1 + len(plan.open_percent)) * (ROW_BYTES + plan.repeats * RUN_BYTES)


def prepare(path, force, needed):
    """Makes the folder, and sees that `needed` bytes can be written to it. force: a report that is there goes. FolderError."""
    _refuse_others(path, force)
    made = not os.path.isdir(path)
    try:
        os.makedirs(path, exist_ok=True)
        _probe(os.path.join(path, 'report.json.new'), needed)
        for name in NAMES & set(os.listdir(path)):
            os.unlink(os.path.join(path, name))
    except OSError as error:
        if made and os.path.isdir(path):
            os.rmdir(path)
        raise FolderError(f'{path}: {error.strerror}: a report ({needed >> 10} KiB) can\'t be written there; '
                          f'{remedy(error)} (--out)') from None


def remedy(error):
    return f'{"make room, or " if error.errno in FULL else ""}name another folder'


def _refuse_others(path, force):
    try:
        there = set(os.listdir(path))
    except FileNotFoundError:
        return
    except OSError as error:
        raise FolderError(f'{path}: {error.strerror}; name another folder (--out)') from None
    if there and not ('report.json' in there or there <= NAMES):
        raise FolderError(f'{path} is not empty and holds no report; name another folder (--out)')
    if there and not force:
        raise FolderError(f'{path} holds a report; name another folder (--out), or replace it (--force)')


def _probe(path, needed):
    """Bytes that no file system can spare itself, to the disk and away again."""
    try:
        with open(path, 'wb', buffering=0) as file:
            left = memoryview(os.urandom(needed))
            while left:
                left = left[file.write(left):]
            os.fsync(file.fileno())
    finally:
        if os.path.exists(path):
            os.unlink(path)


def keep(report, out):
    """Writes all files of the report. What could not be written, in words; [] when all was."""
    said = []
    try:
        report.save(os.path.join(out, 'report.json'))
    except OSError as error:
        instead = _elsewhere(report)
        kept = f'the report is kept in {instead}/ instead' if instead else 'what was shown is all that is left of it'
        said.append(f'{error.filename}: {error.strerror}; {kept}')
    try:
        reports.write_all(report, out)
    except OSError as error:
        said.append(f'{error.filename}: {error.strerror}; bench report makes it again from report.json')
    return said


def _elsewhere(report):
    """A fresh folder that could be written, with the report.json; '' when there is none."""
    for top in dict.fromkeys((tempfile.gettempdir(), '/dev/shm', os.getcwd())):
        try:
            directory = tempfile.mkdtemp(prefix='forklift-report-', dir=top)
            report.save(os.path.join(directory, 'report.json'))
            return directory
        except OSError:
            continue
    return ''
