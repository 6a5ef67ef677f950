-- Appends events to a stream, if its end and its checksum are those that the caller believes it has; else appends none.
-- KEYS: the stream's state, its log.
-- ARGV: the epoch that the stream must have, or ''; its end and its checksum, as the caller believes; '1' if the caller
--       requires that log, and its publisher is let in only if it is there; the publisher's number, '0' to draw one,
--       or ''; '1' to append, '' to let the publisher in only; '1' to end the stream; the reason and the message of
--       its failure, or ''; bytes of the events; bytes that the stream may have; an epoch for a new stream;
--       milliseconds that the stream lives on from now, and from its end on; then for each entry: the number of its
--       events, the checksum before and after them, the events.
-- Returns: 1 if it has appended, the epoch, the number drawn or ''; or 0, the epoch or '', the number drawn or '',
--          1 if the publisher was let in, and the stream's end, checksum, bytes, 1 if it is finished, its failure's
--          reason and message, its owner.
local state, log = KEYS[1], KEYS[2]
local wanted_epoch, wanted_end, wanted_checksum, strict, publisher, appends, ends, reason, message, size, max_size,
  new_epoch, keep, keep_finished = unpack(ARGV, 1, 14)
local fields = state_of(state, 'end', 'checksum', 'bytes', 'finished', 'reason', 'message', 'owner', 'drawn')
local epoch, checksum, finished = fields[1], fields[3] or '0', fields[5]
local offset, bytes = tonumber(fields[2] or 0), tonumber(fields[4] or 0)
local owner, drawn, number = tonumber(fields[8] or 0), tonumber(fields[9] or 0), ''
local same = offset == tonumber(wanted_end) and checksum == wanted_checksum

local function refused(admitted)
  return {
    0, epoch or '', number, admitted, offset, checksum, bytes, finished and 1 or 0, fields[6] or '', fields[7] or '',
    string.format('%.0f', owner),
  }
end

if (wanted_epoch ~= '' and wanted_epoch ~= epoch) or (strict == '1' and not same)
  or (owner > 0 and publisher ~= '0' and (tonumber(publisher) or 0) < owner)
then
  return refused(0)
end

appends = appends == '1' and same and not finished and bytes + size <= tonumber(max_size)
local created = appends and not epoch
if created then
  epoch = new_epoch
  redis.call('HSET', state, 'format', FORMAT, 'epoch', epoch, 'created_at', now())
  redis.call('UNLINK', log)
end
if epoch and publisher == '0' then
  local time = redis.call('TIME')
  drawn = math.min(math.max(drawn + 1, time[1] * 1000000 + time[2]), 9007199254740991)
  number = string.format('%.0f', drawn)
  redis.call('HSET', state, 'drawn', number)
elseif epoch and publisher ~= '' and tonumber(publisher) > owner then
  owner, drawn = tonumber(publisher), math.max(drawn, publisher)
  redis.call('HSET', state, 'owner', publisher, 'drawn', string.format('%.0f', drawn))
end
if not appends then
  return refused(1)
end
if not created and ends ~= '1' and #ARGV == 14 then
  return {1, epoch, number}
end

for entry = 15, #ARGV, 4 do
  offset = offset + ARGV[entry]
  checksum = ARGV[entry + 2]
  -- The ID is the offset after the events: the entry that has an offset is the first one whose ID is greater.
  redis.call(
    'XADD', log, string.format('%.0f-0', offset),
    'n', ARGV[entry], 'before', ARGV[entry + 1], 'after', checksum, 'e', ARGV[entry + 3]
  )
end
redis.call('HSET', state, 'end', offset, 'checksum', checksum, 'bytes', bytes + size, 'updated_at', now())
if ends == '1' then
  redis.call('HSET', state, 'finished', 1)
  if reason ~= '' then
    redis.call('HSET', state, 'reason', reason, 'message', message)
  end
  keep = keep_finished
end
redis.call('PEXPIRE', state, keep)
redis.call('PEXPIRE', log, keep)
redis.call('SPUBLISH', log, '')
return {1, epoch, number}
