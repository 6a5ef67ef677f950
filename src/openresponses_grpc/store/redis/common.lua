-- Prepended to every script.
local FORMAT = '3'

-- Returns the fields of a stream's state by name, none if the stream does not exist. Fails if the format differs.
local function read_state(key)
  local all, state = redis.call('HGETALL', key), {}
  for index = 1, #all, 2 do
    state[all[index]] = all[index + 1]
  end
  if state.epoch and state.format ~= FORMAT then
    error({err = 'FORMAT the stream has format ' .. (state.format or '1') .. ', and this server uses ' .. FORMAT})
  end
  return state
end

-- Returns the Unix time in milliseconds.
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Returns the milliseconds until the last lease of a publisher expires; negative if it has expired. A publisher is
-- present until it leaves, or until the lease expires that its server renews.
local function presence(state, time)
  local seen = 0
  for field, value in pairs(state) do
    if field == 'left_at' or field == 'updated_at' or string.sub(field, 1, 10) == 'publisher:' then
      seen = math.max(seen, tonumber(value))
    end
  end
  return seen - time
end
