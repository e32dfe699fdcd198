-- wrk -c100 -t2 -d10 --latency --timeout 60s -s postfile.lua URL [-- BODY]
-- Posts BODY with every request; without it the file named below, beside this script. `bench postdata make` writes both.
local body = 'postdata'
wrk.method = 'POST'
wrk.headers['Content-Type'] = 'multipart/form-data; boundary=gouchicao0123456789'

function init(args)
  local folder = debug.getinfo(init, 'S').source:match('^@(.*/)') or ''
  local name = args[1] or folder .. body
  local file = io.open(name, 'rb')
  wrk.body = file and file:read('*a')
  if not wrk.body then  -- a mere error, and wrk would go on without a body
    io.stderr:write('postfile: cannot read ', name, '\n')
    os.exit(1)
  end
  file:close()
end
