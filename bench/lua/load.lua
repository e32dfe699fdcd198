-- The benchmark's closed load, for wrk: one request over and over, and its figures raw. What to send comes in the environment:
--   LOAD_METHOD  LOAD_TYPE   method and Content-Type
--   LOAD_FIELDS              more of the head, whole lines
--   LOAD_BODY                file with the body; empty: none
--   LOAD_UNIQUE              not empty: each request has a path of its own: LOAD_UNIQUE, thread and number are appended
-- The head is Target.head() of bench/harness/endpoints.py, byte for byte, so that no server can tell who looks at it from who loads it:
-- wrk's own comes in whatever order Lua keeps a table.
-- There is no response() on purpose: with one, wrk would keep every body that it receives.
local body_file, unique = os.getenv('LOAD_BODY') or '', os.getenv('LOAD_UNIQUE') or ''
local threads, sent = 0, 0
local text, digits_at, next_request  -- digits_at: how many bytes are before the number

wrk.method = os.getenv('LOAD_METHOD')
if body_file ~= '' then
  local file = assert(io.open(body_file, 'rb'))
  wrk.body = file:read('*a')
  file:close()
end

function wrk.format(_, path)
  local head = string.format('%s %s HTTP/1.1\r\nHost: %s\r\n', wrk.method, path or wrk.path, wrk.headers['Host'])
  if wrk.body then
    head = head .. string.format('Content-Type: %s\r\nContent-Length: %d\r\n', os.getenv('LOAD_TYPE'), #wrk.body)
  end
  return head .. (os.getenv('LOAD_FIELDS') or '') .. '\r\n' .. (wrk.body or '')
end

function setup(thread)
  thread:set('number', threads)
  threads = threads + 1
end

-- Joining a large body to each fresh head would take wrk four times as long as sending it. So the request is joined once, and the
-- number in it is written over, where LuaJIT's FFI allows that; wrk copies what request() returns. Nobody else sees that string.
local DIGITS = 10
local function overwrite_number(ffi)
  local bytes, digits_end = ffi.cast('char *', text), digits_at + DIGITS - 1
  return function()
    sent = sent + 1
    local rest = sent
    for i = digits_end, digits_at, -1 do
      bytes[i] = 48 + rest % 10
      rest = math.floor(rest / 10)
    end
    return text
  end
end

local function join()
  local before, after = text:sub(1, digits_at), text:sub(digits_at + DIGITS + 1)
  return function()
    sent = sent + 1
    return before .. string.format('%010d', sent) .. after
  end
end

if unique ~= '' then
  function init()
    local mark = wrk.path .. unique .. number .. 'n'
    text = wrk.format(nil, mark .. string.rep('0', DIGITS))
    digits_at = select(2, text:find(mark, 1, true))
    local has_ffi, ffi = pcall(require, 'ffi')
    next_request = has_ffi and overwrite_number(ffi) or join()
  end

  function request()
    return next_request()
  end
end

-- The clock first: what follows is no part of the load. latency(i) is the i-th distinct value in µs, and its count.
function done(summary, latency)
  local cpu, errors = os.clock(), summary.errors
  print(string.format('RESULT %d %d %d %.6f', summary.requests, summary.duration, summary.bytes, cpu))
  print(string.format('ERRORS %d %d %d %d %d', errors.connect, errors.read, errors.write, errors.timeout, errors.status))
  for i = 1, #latency do
    print(string.format('VALUE %d %d', latency(i)))
  end
end
