"""The bodies of uploads, byte for byte as the article's generator wrote them, and `bench postdata make`.

What a form or a JSON upload looks like is known here and nowhere else in the benchmark.
"""

import base64
import json
import mimetypes
import os
import shlex
import sys

from command_line import USAGE, Parser

BOUNDARY = 'gouchicao0123456789'  # the article's
CONTENT_TYPES = {'form': f'multipart/form-data; boundary={BOUNDARY}', 'json': 'application/json', 'raw': 'application/octet-stream'}
EXAMPLES = {'form': ('postfile.lua', '/files/upload/single'),
            'json': ('postfile_json.lua', '/files/upload/raw/json/base64decode'),
            'raw': ('postfile_raw.lua', '/files/upload/stream/async_read_and_disk_write')}
SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lua', 'postfile.lua')
MADE = '-- Made by `bench postdata make`.\n'  # its first line tells a script of ours, which may be replaced
DEFAULT_LINE = "local body = 'postdata'\n"


class PostdataError(Exception):
    """What the user asked for can't be done; in words."""


def form_body(data, filename, content_type):
    """A multipart/form-data body with one file, in the field `file`. filename: str as the system gives names, escaped as browsers do."""
    if b'\r\n--' + BOUNDARY.encode() in data:
        raise PostdataError(f'the file holds the boundary {BOUNDARY}: no form can carry it')
    name = filename.replace('"', '%22').replace('\r', '%0D').replace('\n', '%0A')
    head = (f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            f'Content-Type: {content_type}\r\n\r\n')
    return os.fsencode(head) + data + f'\r\n--{BOUNDARY}--\r\n'.encode()


def json_body(data, filename):
    """{"file": base64, "filename": …}."""
    name = os.fsencode(filename).decode(errors='replace')
    return json.dumps({'file': base64.b64encode(data).decode(), 'filename': name}).encode()


def body_of(kind, data, filename):
    """The body of an upload. kind: form, json or raw."""
    if kind == 'form':
        return form_body(data, filename, mimetypes.guess_type(filename)[0] or 'application/octet-stream')
    return json_body(data, filename) if kind == 'json' else data


def lua_string(text):
    """Any file's name as a literal of Lua: a backslash and three digits for what is not plain."""
    return "'" + ''.join(chr(byte) if chr(byte).isalnum() and byte < 128 or byte in b'._- ' else f'\\{byte:03}'
                         for byte in os.fsencode(text)) + "'"


def script_of(kind, body_name):
    """The script that has wrk post the file of that name beside it."""
    with open(SCRIPT, encoding='utf-8') as file:
        text = file.read()
    for old, new in ((CONTENT_TYPES['form'], CONTENT_TYPES[kind]), ('postfile.lua', EXAMPLES[kind][0]),
                     (DEFAULT_LINE, f'local body = {lua_string(body_name)}\n')):
        if old not in text:
            raise PostdataError(f'{SCRIPT}: {old!r} is not in it')
        text = text.replace(old, new)
    return MADE + text


def same(path, other):
    return os.path.exists(path) and os.path.exists(other) and os.path.samefile(path, other)


def check_free(script):
    """A script by that name that is not of this program stays as it is: who followed the article has one."""
    if os.path.exists(script):
        with open(script, 'rb') as file:
            if file.read(len(MADE)) != MADE.encode():
                raise PostdataError(f'{script} is there and was not made by this program: move it, name another folder, or say --force')


def write(path, data):
    with open(path, 'wb') as file:
        file.write(data)


def make(source, out, kind, force=False):
    """Writes the body to `out`, as curl -o would, and beside it the script for wrk. Returns (bytes of the file, of the body, script)."""
    script = os.path.join(os.path.dirname(out), EXAMPLES[kind][0])
    if same(source, out) or same(source, script) or os.path.abspath(out) == os.path.abspath(script):
        raise PostdataError(f'{out}: the file, its body and {os.path.basename(script)} can\'t be one and the same')
    try:
        with open(source, 'rb') as file:
            data = file.read()
        if not force:
            check_free(script)
        body = body_of(kind, data, os.path.basename(source))
        write(out, body)
        write(script, script_of(kind, os.path.basename(out)).encode())
    except OSError as error:
        raise PostdataError(f'{error.filename or out}: {error.strerror}') from None
    return len(data), len(body), script


def parser():
    top = Parser(prog='bench postdata', description='Request bodies for wrk, as the article made them.')
    commands = top.add_subparsers(dest='command', required=True, metavar='make')
    command = commands.add_parser('make', help='write the body that uploads FILE to OUT, and beside it the script for wrk')
    command.add_argument('file', metavar='FILE', help='what is uploaded')
    command.add_argument('out', metavar='OUT', help='where the body goes; replaced where it is there')
    command.add_argument('--format', choices=sorted(CONTENT_TYPES), default='form',
                         help=f'form: multipart/form-data with the boundary {BOUNDARY} (default); '
                              'json: {"file": base64, "filename": name}; raw: the file as it is')
    command.add_argument('--force', action='store_true', help="replace a script of the same name that is not this program's")
    return top


def main(argv):
    """bench postdata ARGV; the exit code."""
    options = parser().parse_args(argv)
    try:
        file_bytes, body_bytes, script = make(options.file, options.out, options.format, options.force)
    except PostdataError as error:
        print(f'bench postdata: {error}', file=sys.stderr)
        return USAGE
    url = 'http://127.0.0.1:8000' + EXAMPLES[options.format][1]
    print(f'{options.out}: {body_bytes} bytes, {options.format}, carrying {options.file} ({file_bytes} bytes)')
    print(f'wrk -c100 -t2 -d10 --latency --timeout 60s -s {shlex.quote(script)} {url}')
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
