-- Reads a stream from an offset on.
-- KEYS: the stream's state, its log.
-- ARGV: the offset; the bytes of events that are enough; another offset whose entry is returned too, or ''.
-- Returns: nothing where there is no stream, or: its epoch; its end; its checksum; 1 if it is finished; its failure's
--          reason and message; milliseconds for which a publisher is known to be present, as `presence` has it; for
--          each entry a line with the offset after it, the number of its events, the checksums before and after them,
--          and bytes; the events of all entries, one after the other; the line and the events of the other entry.
local state, log = KEYS[1], KEYS[2]
local start, enough, other = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local fields = state_of(state, 'end', 'checksum', 'finished', 'reason', 'message')
if not fields[1] then
  return {}
end
local stop = tonumber(fields[2] or 0)

-- The line of an entry, and its events.
local function described(entry)
  local values = entry[2]
  local events = values[8] or ''
  local offset = string.match(entry[1], '^%d+')
  return table.concat({offset, values[2], values[4] or '', values[6] or '', #events}, ' '), events
end

local function entries()
  local lines, events, size, last, count = {}, {}, 0, start, 1
  repeat
    local found = redis.call('XRANGE', log, '(' .. last, '+', 'COUNT', count)
    for _, entry in ipairs(found) do
      local index = #lines + 1
      lines[index], events[index] = described(entry)
      size = size + #events[index]
      last = entry[1]
    end
    local whole = #found < count
    -- As many entries more as would be enough if they are like those before, and not too many if they are not.
    count = math.min(2 * count, math.max(1, math.ceil((enough - size) * #events / math.max(size, 1))))
  until whole or size >= enough
  return table.concat(lines, '\n'), table.concat(events)
end

local lines, events, other_line, other_events = '', '', '', ''
if tonumber(start) < stop then
  lines, events = entries()
end
if other ~= '' and tonumber(other) < stop then
  local found = redis.call('XRANGE', log, '(' .. other, '+', 'COUNT', 1)
  if found[1] then
    other_line, other_events = described(found[1])
  end
end
return {
  fields[1], stop, fields[3] or '0', fields[4] and 1 or 0, fields[5] or '', fields[6] or '', presence(state, now()),
  lines, events, other_line, other_events,
}
