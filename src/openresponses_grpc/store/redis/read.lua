-- Reads a stream from an offset on.
-- KEYS: the stream's state, its log.
-- ARGV: the offset, the bytes of events that are enough.
-- Returns: nothing where there is no stream, or: its epoch; its end; 1 if it is finished; milliseconds for which a
--          publisher is still known to be there, negative since when none is; the offset of the first event returned;
--          the events, one after the other, the first and the last entry in whole.
local state, log = KEYS[1], KEYS[2]
local start, enough = ARGV[1], tonumber(ARGV[2])
local fields = redis.call('HMGET', state, 'epoch', 'end', 'finished')
if not fields[1] then
  return {}
end

local function entries()
  local first, last, events, size, count = '', nil, {}, 0, 1
  repeat
    local found = redis.call('XRANGE', log, '(' .. (last and string.format('%.0f-0', last) or start), '+', 'COUNT', count)
    for _, entry in ipairs(found) do
      local after = tonumber(string.match(entry[1], '^%d+'))
      local before = after - entry[2][2]
      if last and before ~= last then
        return first, events
      end
      first, last = last and first or before, after
      events[#events + 1] = entry[2][4]
      size = size + #entry[2][4]
    end
    local whole = #found < count
    -- As many entries more as would be enough if they are like those before, and not too many if they are not.
    count = math.min(2 * count, math.ceil((enough - size) * #events / size))
  until whole or size >= enough
  return first, events
end

local first, events = '', {}
if tonumber(start) < tonumber(fields[2] or 0) then
  first, events = entries()
end

-- A publisher is there until it leaves, or until the lease that its server renews runs out.
local seen = 0
local all = redis.call('HGETALL', state)
for index = 1, #all, 2 do
  if all[index] == 'left_at' or string.sub(all[index], 1, 10) == 'publisher:' then
    seen = math.max(seen, tonumber(all[index + 1]))
  end
end
local time = redis.call('TIME')
return {
  fields[1], tonumber(fields[2] or 0), fields[3] and 1 or 0,
  seen - time[1] * 1000 - math.floor(time[2] / 1000), first, table.concat(events),
}
