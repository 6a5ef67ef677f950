#!lua flags=allow-oom
-- Renews or ends a server's lease for its publishers of a stream. Does not create the stream.
-- KEYS: the state and the log of the stream.
-- ARGV: the server; the milliseconds of the lease, 0 to end it; the stream's epoch; milliseconds for which the stream is
--       kept from now.
-- Returns: the stream's epoch, or ''. A stream with another epoch is not changed.
local key, log = KEYS[1], KEYS[2]
local publisher, lease, expected_epoch, keep = 'publisher:' .. ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local state = read_state(key)
if state.epoch ~= expected_epoch then
  return state.epoch or ''
end
if lease > 0 then
  redis.call('HSET', key, publisher, now() + lease)
else
  redis.call('HDEL', key, publisher)
  redis.call('HSET', key, 'left_at', now())
  redis.call('SPUBLISH', log, '')
end
if not state.finished then
  redis.call('PEXPIRE', key, keep)
  redis.call('PEXPIRE', log, keep)
end
return expected_epoch
