-- Sends the requests of PLAN (a Lua file) in turn and looks at every answer.
-- wrk (one thread) calls setup, init, request, response and done.

local plan = dofile(os.getenv("PLAN"))
local threads, ready, turn = {}, {}, 0
wrong, sample = 0, ""

function setup(thread)
  table.insert(threads, thread)
end

function init()
  for number, each in ipairs(plan.requests) do
    local headers = { Host = wrk.headers["Host"] }
    for name, value in pairs(each.headers) do headers[name] = value end
    local body = each.body ~= "" and each.body or nil
    ready[number] = wrk.format(plan.method, each.path, headers, body)
  end
end

function request()
  turn = turn % #ready + 1
  return ready[turn]
end

local function place(headers)
  local location = headers["Location"] or headers["location"] or ""
  return (location:gsub("^https?://[^/]+", ""):gsub("%?.*$", ""))
end

local function right(status, headers, body)
  return status == plan.status
    and (plan.place == "" or place(headers) == plan.place)
    and (plan.words == "" or body:find(plan.words, 1, true) ~= nil)
end

function response(status, headers, body)
  if right(status, headers, body) then return end
  wrong = wrong + 1
  if sample == "" then sample = status .. " " .. place(headers) .. " " .. body:sub(1, 2000) end
end

function done(summary, latency)
  local errors, wrongs, first = summary.errors, 0, ""
  for _, thread in ipairs(threads) do
    wrongs = wrongs + thread:get("wrong")
    if first == "" then first = thread:get("sample") end
  end
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format("RESULT %d %d %d %d %d %d %d\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), wrongs, broken, errors.status))
  io.write(first)
end
