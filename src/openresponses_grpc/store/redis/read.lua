-- Reads a stream from an offset on.
-- KEYS: the state and the log of the stream.
-- ARGV: the offset; the bytes of events to read; another offset whose entry is also returned, or ''. For a reader, in
--       milliseconds: the minimum time for which the stream is kept from now; the maximum time after its end; the time
--       without a publisher after which it is abandoned.
-- Returns: nothing if the stream does not exist. Otherwise: one string of numbers: its epoch, its end offset, its
--          checksum, 1 if it is finished else 0, the result of `presence`; a line for each entry with the offset after
--          it, the number of its events, the checksums before and after them, and their bytes; the concatenated events
--          of all entries. If the stream has failed or another offset is given, also: the reason and the message of the
--          failure; the line and the events of the other entry.
local log = KEYS[2]
local start, wanted, other = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local state = read_state(KEYS[1])
if not state.epoch then
  return {}
end
local stop, time = tonumber(state['end'] or 0), now()
local present = presence(state, time)

-- Returns the line of an entry, and its events.
local function describe(entry)
  local values = entry[2]
  local events = values[8] or ''
  local offset = string.match(entry[1], '^%d+')
  return table.concat({offset, values[2], values[4] or '', values[6] or '', #events}, ' '), events
end

-- Returns the lines and the events from the offset on, and whether a reader has more to read after them.
local function read_entries()
  local lines, events, size, last, count = {}, {}, 0, start, 1
  repeat
    local found = redis.call('XRANGE', log, '(' .. last, '+', 'COUNT', count)
    for _, entry in ipairs(found) do
      local index = #lines + 1
      lines[index], events[index] = describe(entry)
      size = size + #events[index]
      last = entry[1]
    end
    local at_end = #found < count
    -- Estimates how many more entries are needed from the size of the previous ones, but at most doubles the count.
    count = math.min(2 * count, math.max(1, math.ceil((wanted - size) * #events / math.max(size, 1))))
  until at_end or size >= wanted
  return table.concat(lines, '\n'), table.concat(events), tonumber(string.match(last, '^%d+')) < stop or size > wanted
end

-- Extends the retention for a reader, if less than half of it is left, so that few reads write. A failed write is
-- ignored, so that a Redis that refuses writes still serves reads.
local function keep_for_reader()
  local keep, reader_retention, abandon_after = unpack(ARGV, 4, 6)
  local retained_from = state.finished and tonumber(state.updated_at) or time + present + abandon_after
  local left = math.min(tonumber(keep), retained_from + reader_retention - time)
  if redis.call('PTTL', KEYS[1]) < left / 2 then
    redis.pcall('PEXPIRE', KEYS[1], string.format('%.0f', left))
    redis.pcall('PEXPIRE', log, string.format('%.0f', left))
  end
end

local numbers = string.format(
  '%s %.0f %s %d %.0f', state.epoch, stop, state.checksum or '0', state.finished and 1 or 0, present
)
local lines, events, more = '', '', false
if tonumber(start) < stop then
  lines, events, more = read_entries()
end
if #ARGV > 3 and more then
  keep_for_reader()
end
if other == '' and not state.reason then
  return {numbers, lines, events}
end
local other_line, other_events = '', ''
if other ~= '' and tonumber(other) < stop then
  local found = redis.call('XRANGE', log, '(' .. other, '+', 'COUNT', 1)
  if found[1] then
    other_line, other_events = describe(found[1])
  end
end
return {numbers, lines, events, state.reason or '', state.message or '', other_line, other_events}
