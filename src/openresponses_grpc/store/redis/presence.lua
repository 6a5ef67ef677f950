#!lua flags=allow-oom
-- Records that a server has a publisher of a stream for some time from now on, or none any more. Creates no stream.
-- KEYS: the stream's state, its log.
-- ARGV: the server; the milliseconds, 0 for none; the stream's epoch; milliseconds that the stream lives on from now.
-- Returns: the stream's epoch, or ''; it changes nothing if that is another one.
local state, log = KEYS[1], KEYS[2]
local publisher, lease, wanted_epoch, keep = 'publisher:' .. ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local fields = state_of(state, 'finished')
if fields[1] ~= wanted_epoch then
  return fields[1] or ''
end
if lease > 0 then
  redis.call('HSET', state, publisher, now() + lease)
else
  redis.call('HDEL', state, publisher)
  redis.call('HSET', state, 'left_at', now())
  redis.call('SPUBLISH', log, '')
end
if not fields[2] then
  redis.call('PEXPIRE', state, keep)
  redis.call('PEXPIRE', log, keep)
end
return wanted_epoch
