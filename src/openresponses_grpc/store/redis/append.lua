-- Appends events to a stream, if the stream is still as the caller takes it to be; else it changes nothing.
-- KEYS: the stream's state, its log.
-- ARGV: the epoch that the stream must have, or ''; the offset at which it must end, or '' for any; '1' to end the
--       stream; bytes of the events; bytes that the stream may have; an epoch for a new stream; milliseconds that the
--       stream lives on from now, and from its end on; then for each entry: the number of its events, the events.
-- Returns: 1 if it has appended; the epoch, or ''; the stream's end; 1 if it is finished; its bytes.
local state, log = KEYS[1], KEYS[2]
local wanted_epoch, wanted_end, ends, size, max_size, new_epoch, keep, keep_finished = unpack(ARGV, 1, 8)
local fields = redis.call('HMGET', state, 'epoch', 'end', 'bytes', 'finished')
local epoch, offset, bytes, finished = fields[1], tonumber(fields[2] or 0), tonumber(fields[3] or 0), fields[4]

if (wanted_epoch ~= '' and wanted_epoch ~= epoch) or (wanted_end ~= '' and tonumber(wanted_end) ~= offset)
  or finished or bytes + size > tonumber(max_size)
then
  return {0, epoch or '', offset, finished and 1 or 0, bytes}
end

if not epoch then
  local time = redis.call('TIME')
  epoch = new_epoch
  redis.call('HSET', state, 'epoch', epoch, 'left_at', time[1] * 1000 + math.floor(time[2] / 1000))
  redis.call('UNLINK', log)
end
for entry = 9, #ARGV, 2 do
  offset = offset + ARGV[entry]
  -- The ID is the offset after the events: the entry that has an offset is the first one whose ID is greater.
  redis.call('XADD', log, string.format('%.0f-0', offset), 'n', ARGV[entry], 'e', ARGV[entry + 1])
end
redis.call('HSET', state, 'end', offset, 'bytes', bytes + size)
if ends == '1' then
  redis.call('HSET', state, 'finished', 1)
  keep = keep_finished
end
redis.call('PEXPIRE', state, keep)
redis.call('PEXPIRE', log, keep)
if ends == '1' or #ARGV > 8 then
  redis.call('SPUBLISH', log, '')
end
return {1, epoch, offset, ends == '1' and 1 or 0, bytes + size}
