-- Deletes a stream.
-- KEYS: the state and the log of the stream.
-- ARGV: the epoch that the stream must have, or ''.
-- Returns: the stream's epoch, or ''. A stream with another epoch is not deleted.
local key, log = KEYS[1], KEYS[2]
local epoch = read_state(key).epoch
if epoch and (ARGV[1] == '' or ARGV[1] == epoch) then
  redis.call('UNLINK', key, log)
  redis.call('SPUBLISH', log, '')
end
return epoch or ''
