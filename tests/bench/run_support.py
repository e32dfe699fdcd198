"""`bench run` for a moment, for the tests of it."""

import os
import subprocess
import sys

from support import HARNESS, ROOT, model

BUILD = os.path.dirname(os.path.dirname(os.environ.get('FORKLIFT_WORKER', os.path.join(ROOT, 'build', 'worker', 'worker'))))


def command(tmp_path, *arguments):
    return [sys.executable, '-B', HARNESS, '--build', BUILD, 'run', '--quiet', '--sizes', '8192', '--connections', '4', '--models', 'alone',
            '--seconds', '0.3', '--dir', str(tmp_path), '--out', str(tmp_path / 'out'), *arguments]


def run(tmp_path, *arguments):
    return subprocess.run(command(tmp_path, *arguments), capture_output=True, text=True, timeout=120, check=False)


def report_of(tmp_path):
    return model.load(str(tmp_path / 'out' / 'report.json'))
