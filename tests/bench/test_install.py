"""What .ci/install does to the machine beside installing: no service of a package starts, and nothing of it stays."""

import os
import shutil
import signal
import subprocess
import time

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
INVOKE = '/usr/sbin/invoke-rc.d'  # what packages start their services with
# apt-get: installs a service and starts it as its package would; then ends, or lasts until it is told to.
APT_GET = '''#!/bin/sh
case "$*" in *" install "*) ;; *) exit 0 ;; esac
invoke-rc.d thing start
touch %(work)s/installing
while [ -e %(work)s/lasts ]; do sleep 0.05; done
exit $(cat %(work)s/code)
'''
# In a mount namespace: directories of the test's own in place of the system's, for an init that is not systemd.
BINDS = {'sbin': '/usr/sbin', 'init.d': '/etc/init.d', 'rc2.d': '/etc/rc2.d'}
COMMAND = ' && '.join(['mount -t tmpfs none /run', *(f'mount --bind %(work)s/{own} {there}' for own, there in BINDS.items()),
                       'exec %(top)s/.ci/install build'])


def may_mount():
    return os.getuid() == 0 and subprocess.run(['unshare', '--mount', 'true'], stderr=subprocess.DEVNULL, check=False).returncode == 0


class Machine:
    """A Debian on which every package is missing, as far as .ci/install can see."""

    def __init__(self, work):
        self.work = work
        for directory in ('bin', *BINDS):
            (work / directory).mkdir()
        shutil.copy(INVOKE, work / 'sbin')
        self.program('bin/dpkg-query', '#!/bin/sh\nexit 1\n')
        self.program('bin/apt-get', APT_GET % {'work': work})
        self.program('init.d/thing', f'#!/bin/sh\necho "$1" >>{work}/service\n')
        self.program('sbin/init', '#!/bin/sh\n')
        self.program('sbin/runlevel', '#!/bin/sh\necho N 2\n')
        (work / 'rc2.d' / 'S01thing').symlink_to('/etc/init.d/thing')
        (work / 'code').write_text('0')
        self.policy = work / 'sbin' / 'policy-rc.d'

    def program(self, name, text):
        (self.work / name).write_text(text)
        (self.work / name).chmod(0o755)

    def install(self):
        command = ['unshare', '--mount', 'sh', '-c', COMMAND % {'work': self.work, 'top': TOP}]
        environment = {'PATH': f'{self.work}/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'TMPDIR': str(self.work)}
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def ended(self, process):
        """Its exit code."""
        said, _ = process.communicate(timeout=30)
        assert (self.work / 'installing').exists(), said
        return process.returncode

    def started(self):
        return (self.work / 'service').exists()

    def left(self):
        """What lies in the temporary directory, and the policy."""
        return [each.name for each in [*self.work.glob('tmp.*'), self.policy] if each.exists()]


@pytest.fixture
def machine(tmp_path):
    if not may_mount() or not all(os.path.exists(each) for each in (INVOKE, *BINDS.values())):
        pytest.skip('needs root, mount namespaces, invoke-rc.d and what it reads')
    return Machine(tmp_path)


def test_no_service_is_started_while_packages_are_installed_and_any_may_be_afterwards(machine):
    assert machine.ended(machine.install()) == 0
    assert not machine.started() and machine.left() == []


def test_the_services_of_who_has_a_policy_already_go_by_it(machine):
    policy = '#!/bin/sh\nexit 0\n'
    machine.program('sbin/policy-rc.d', policy)
    assert machine.ended(machine.install()) == 0
    assert machine.started() and machine.policy.read_text() == policy


def test_a_failed_installation_leaves_no_policy(machine):
    (machine.work / 'code').write_text('100')
    assert machine.ended(machine.install()) == 1
    assert not machine.started() and machine.left() == []


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_broken_off_installation_leaves_no_policy(machine, number):
    (machine.work / 'lasts').touch()
    process = machine.install()
    deadline = time.monotonic() + 30
    while not (machine.work / 'installing').exists():
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.01)
    assert machine.policy.exists()
    process.send_signal(number)
    (machine.work / 'lasts').unlink()  # the shell waits for the package manager, which must not be left without the policy
    assert machine.ended(process) == 128 + number
    assert not machine.started() and machine.left() == []
