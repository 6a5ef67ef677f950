-- Precedes every script.
local FORMAT = '3'

-- The fields of a stream's state by their names, none where there is no stream. Fails for a state of another format.
local function state_of(key)
  local all, state = redis.call('HGETALL', key), {}
  for index = 1, #all, 2 do
    state[all[index]] = all[index + 1]
  end
  if state.epoch and state.format ~= FORMAT then
    error({err = 'FORMAT the stream has format ' .. (state.format or '1') .. ', and this server uses ' .. FORMAT})
  end
  return state
end

-- The time in milliseconds.
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Milliseconds for which a publisher is still known to be present; negative: since when none is. A publisher is
-- present until it leaves, or until the lease that its server renews runs out.
local function presence(state, time)
  local seen = 0
  for field, value in pairs(state) do
    if field == 'left_at' or field == 'updated_at' or string.sub(field, 1, 10) == 'publisher:' then
      seen = math.max(seen, tonumber(value))
    end
  end
  return seen - time
end
