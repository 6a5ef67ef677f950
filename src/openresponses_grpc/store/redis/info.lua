-- Describes a stream.
-- KEYS: the stream's state, its log.
-- Returns: nothing where there is no stream, or: its epoch; its first offset; its end; its bytes; 1 if it is finished;
--          its failure's reason and message; in milliseconds: when it was created, and updated; now; for how long a
--          publisher is known to be present, as `presence` has it; for how long it is kept.
local state, log = KEYS[1], KEYS[2]
local fields = state_of(state, 'end', 'bytes', 'finished', 'reason', 'message', 'created_at', 'updated_at')
if not fields[1] then
  return {}
end
local first = tonumber(fields[2] or 0)
local oldest = redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1]
if oldest then
  first = string.match(oldest[1], '^%d+') - (tonumber(oldest[2][2]) or 0)
end
local time = now()
return {
  fields[1], first, tonumber(fields[2] or 0), tonumber(fields[3] or 0), fields[4] and 1 or 0, fields[5] or '',
  fields[6] or '', tonumber(fields[7]), tonumber(fields[8]), time, presence(state, time), redis.call('PTTL', state),
}
