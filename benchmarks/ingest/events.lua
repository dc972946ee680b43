-- wrk's requests: events for known contacts (p0 on), or for new ones.
local count = 0
local known, tag

function init(args)
  tag = args[1]
  known = tonumber(args[2])
  math.randomseed(tonumber(args[3]))
end

function request()
  count = count + 1
  local name = tag == "known" and "p" .. math.random(0, known - 1) or tag .. count
  local body = string.format(
    '{"eventName":"signup","email":"%s@example.net","plan":"plan%d","seats":%d,' ..
    '"eventProperties":{"planName":"pro","seats":%d,"trial":true,"ends":"2026-12-24"}}',
    name, math.random(1, 5), math.random(1, 9), math.random(1, 9))
  return wrk.format("POST", nil, {["Authorization"] = "Bearer " .. os.getenv("BENCH_KEY"),
    ["Content-Type"] = "application/json"}, body)
end
