#!lua flags=allow-oom
-- Notes that a server has a publisher of a stream for some time from now on, or none any more.
-- KEYS: the stream's state, its log.
-- ARGV: the server; the milliseconds, 0 for none; an epoch if the stream is to be created where there is none, or '';
--       milliseconds that the stream lives on from now.
local state, log = KEYS[1], KEYS[2]
local publisher, lease, new_epoch, keep = 'publisher:' .. ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if redis.call('EXISTS', state) == 0 then
  if new_epoch == '' then
    return
  end
  redis.call('HSET', state, 'epoch', new_epoch, 'left_at', now)
end
if lease > 0 then
  redis.call('HSET', state, publisher, now + lease)
else
  redis.call('HDEL', state, publisher)
  redis.call('HSET', state, 'left_at', now)
  redis.call('SPUBLISH', log, '')
end
if redis.call('HEXISTS', state, 'finished') == 0 then
  redis.call('PEXPIRE', state, keep)
  redis.call('PEXPIRE', log, keep)
end
