-- wrk's script: sends the requests of a file in turn. A line a request: its target, then its headers, between tabs.
-- A second argument: each connection pauses before a request, so many milliseconds on the average.

local requests = {}
local turn = 0

function init(arguments)
  for line in io.lines(arguments[1]) do
    local target, headers
    for field in line:gmatch("[^\t]+") do
      if target == nil then
        target, headers = field, {}
      else
        local name, value = field:match("^([^:]+): (.*)$")
        headers[name] = value
      end
    end
    requests[#requests + 1] = wrk.format("GET", target, headers)
  end
  local pause = tonumber(arguments[2])
  if pause then
    function delay() return math.random() * 2 * pause end
  end
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end
