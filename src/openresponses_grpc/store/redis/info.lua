-- Describes a stream.
-- KEYS: the state and the log of the stream.
-- Returns: nothing if the stream does not exist. Otherwise: its epoch, its first offset, its end offset, its bytes, 1 if
--          it is finished else 0, the reason and the message of its failure; and in milliseconds: the times of its
--          creation and its last update, the current time, the result of `presence`, its remaining time to live.
local key, log = KEYS[1], KEYS[2]
local state = read_state(key)
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
