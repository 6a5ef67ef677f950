-- Describes a stream.
-- KEYS: the stream's state, its log.
-- Returns: nothing where there is no stream, or: its epoch; its first offset; its end; its bytes; 1 if it is finished;
--          its failure's reason and message; in milliseconds: when it was created, and updated; now; for how long a
--          publisher is known to be present, as `presence` has it; for how long it is kept.
local key, log = KEYS[1], KEYS[2]
local state = state_of(key)
if not state.epoch then
  return {}
end
local stop = tonumber(state['end'] or 0)
local first = stop
local oldest = redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1]
if oldest then
  first = string.match(oldest[1], '^%d+') - (tonumber(oldest[2][2]) or 0)
end
local time = now()
return {
  state.epoch, first, stop, tonumber(state.bytes or 0), state.finished and 1 or 0, state.reason or '',
  state.message or '', tonumber(state.created_at), tonumber(state.updated_at), time, presence(state, time),
  redis.call('PTTL', key),
}
