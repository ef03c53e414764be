-- wrk's script: sends the requests of a file in turn. Each line is one request: target and headers, separated by tabs.
-- A second argument makes each connection pause before a request, by that many milliseconds on average.

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
