-- Reads a stream from an offset on.
-- KEYS: the stream's state, its log.
-- ARGV: the offset; the bytes of events that are enough; another offset whose entry is returned too, or ''. For a
--       reader, in milliseconds: how long the stream lives on from now at least; how long after its end it may do so;
--       after how long without a publisher it is abandoned.
-- Returns: nothing where there is no stream, or: numbers: its epoch, its end, its checksum, 1 if it is finished, else 0,
--          and milliseconds for which a publisher is known to be present, as `presence` has it; for each entry a line
--          with the offset after it, the number of its events, the checksums before and after them, and bytes; the
--          events of all entries, one after the other. Where the stream has failed or another offset is given, too: the
--          reason and the message of the failure; the line and the events of the other entry.
local log = KEYS[2]
local start, enough, other = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local state = state_of(KEYS[1])
if not state.epoch then
  return {}
end
local stop, time = tonumber(state['end'] or 0), now()
local present = presence(state, time)

-- The line of an entry, and its events.
local function described(entry)
  local values = entry[2]
  local events = values[8] or ''
  local offset = string.match(entry[1], '^%d+')
  return table.concat({offset, values[2], values[4] or '', values[6] or '', #events}, ' '), events
end

-- The lines and the events from the offset on, and whether a reader has still to read on after them.
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
  return table.concat(lines, '\n'), table.concat(events), tonumber(string.match(last, '^%d+')) < stop or size > enough
end

-- Keeps the stream for a reader. Only where less than half of the time is left, so that few
-- reads write; a Redis that takes no writes still reads.
local function keep_for_reader()
  local keep, read_on, abandon_after = unpack(ARGV, 4, 6)
  local over_at = state.finished and tonumber(state.updated_at) or time + present + abandon_after
  local left = math.min(tonumber(keep), over_at + read_on - time)
  if redis.call('PTTL', KEYS[1]) < left / 2 then
    redis.pcall('PEXPIRE', KEYS[1], string.format('%.0f', left))
    redis.pcall('PEXPIRE', log, string.format('%.0f', left))
  end
end

local numbers = string.format(
  '%s %.0f %s %d %.0f', state.epoch, stop, state.checksum or '0', state.finished and 1 or 0, present
)
local lines, events, reads_on = '', '', false
if tonumber(start) < stop then
  lines, events, reads_on = entries()
end
if #ARGV > 3 and reads_on then
  keep_for_reader()
end
if other == '' and not state.reason then
  return {numbers, lines, events}
end
local other_line, other_events = '', ''
if other ~= '' and tonumber(other) < stop then
  local found = redis.call('XRANGE', log, '(' .. other, '+', 'COUNT', 1)
  if found[1] then
    other_line, other_events = described(found[1])
  end
end
return {numbers, lines, events, state.reason or '', state.message or '', other_line, other_events}
