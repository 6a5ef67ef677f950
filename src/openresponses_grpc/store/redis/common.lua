-- Precedes every script.
local FORMAT = '2'

-- Fields of a stream's state, its epoch first; false for each that it does not have. Fails for another format.
local function state_of(key, ...)
  local fields = redis.call('HMGET', key, 'format', 'epoch', ...)
  local format = table.remove(fields, 1)
  if fields[1] and format ~= FORMAT then
    error({err = 'FORMAT the stream has format ' .. (format or '1') .. ', and this server uses ' .. FORMAT})
  end
  return fields
end

-- The time in milliseconds.
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Milliseconds for which a publisher is still known to be present; negative: since when none is. A publisher is
-- present until it leaves, or until the lease that its server renews runs out.
local function presence(key, time)
  local seen = 0
  local all = redis.call('HGETALL', key)
  for index = 1, #all, 2 do
    local field = all[index]
    if field == 'left_at' or field == 'updated_at' or string.sub(field, 1, 10) == 'publisher:' then
      seen = math.max(seen, tonumber(all[index + 1]))
    end
  end
  return seen - time
end
