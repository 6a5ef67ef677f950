-- Deletes a stream.
-- KEYS: the stream's state, its log.
-- ARGV: the epoch that it must have, or ''.
-- Returns: its epoch, or ''; it changes nothing if that is another one.
local state, log = KEYS[1], KEYS[2]
local epoch = state_of(state)[1]
if epoch and (ARGV[1] == '' or ARGV[1] == epoch) then
  redis.call('UNLINK', state, log)
  redis.call('SPUBLISH', log, '')
end
return epoch or ''
