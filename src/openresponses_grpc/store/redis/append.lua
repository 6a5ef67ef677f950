-- Appends events to a stream, if its end and its checksum are those that the caller believes it has; else appends none.
-- KEYS: the stream's state, its log.
-- ARGV: numbers: the stream's end and its checksum, as the caller believes; 1 if the caller requires that log, and its
--       publisher is let in only if it is there, else 0; 1 to append, 0 to let the publisher in only; 1 to end the
--       stream, else 0; bytes of the events; bytes that the stream may have; milliseconds that the stream lives on
--       from now, and from its end on. The epoch that the stream must have, or ''. The publisher's number, '0' to draw
--       one, or ''. An epoch for a new stream. The reason and the message of the failure, or ''. The tenant of a new
--       stream. Then for each entry: the number of its events, the checksum before and after them, the events.
-- Returns: 1 if it has appended, the epoch, the number drawn or ''; or 0, the epoch or '', the number drawn or '',
--          1 if the publisher was let in, and the stream's end, checksum, bytes, 1 if it is finished, its failure's
--          reason and message, its owner.
local number = string.gmatch(ARGV[1], '%d+')
local wanted_end, wanted_checksum, strict, appends, ends = number(), number(), number(), number(), number()
local size, max_size, keep, retention = number(), number(), number(), number()
local wanted_epoch, publisher, new_epoch, reason, message, tenant = unpack(ARGV, 2, 7)
local key, log = KEYS[1], KEYS[2]
local state = state_of(key)
local epoch, checksum = state.epoch, state.checksum or '0'
local offset, bytes = tonumber(state['end'] or 0), tonumber(state.bytes or 0)
local owner, drawn, drawn_now = tonumber(state.owner or 0), tonumber(state.drawn or 0), ''
local same = offset == tonumber(wanted_end) and checksum == wanted_checksum

local function refused(admitted)
  return {
    0, epoch or '', drawn_now, admitted, offset, checksum, bytes, state.finished and 1 or 0,
    state.reason or '', state.message or '', string.format('%.0f', owner),
  }
end

if (wanted_epoch ~= '' and wanted_epoch ~= epoch) or (strict == '1' and not same)
  or (owner > 0 and publisher ~= '0' and (tonumber(publisher) or 0) < owner)
then
  return refused(0)
end

appends = appends == '1' and same and not state.finished and bytes + size <= tonumber(max_size)
local created = appends and not epoch
if created then
  epoch = new_epoch
  redis.call('HSET', key, 'format', FORMAT, 'epoch', epoch, 'tenant', tenant, 'created_at', now())
  redis.call('UNLINK', log)
end
if epoch and publisher == '0' then
  local time = redis.call('TIME')
  drawn = math.min(math.max(drawn + 1, time[1] * 1000000 + time[2]), 9007199254740991)
  drawn_now = string.format('%.0f', drawn)
  redis.call('HSET', key, 'drawn', drawn_now)
elseif epoch and publisher ~= '' and tonumber(publisher) > owner then
  owner, drawn = tonumber(publisher), math.max(drawn, publisher)
  redis.call('HSET', key, 'owner', publisher, 'drawn', string.format('%.0f', drawn))
end
if not appends then
  return refused(1)
end
if not created and ends ~= '1' and #ARGV == 7 then
  return {1, epoch, drawn_now}
end

for entry = 8, #ARGV, 4 do
  offset = offset + ARGV[entry]
  checksum = ARGV[entry + 2]
  -- The ID is the offset after the events: the entry that has an offset is the first one whose ID is greater.
  redis.call(
    'XADD', log, string.format('%.0f-0', offset),
    'n', ARGV[entry], 'before', ARGV[entry + 1], 'after', checksum, 'e', ARGV[entry + 3]
  )
end
redis.call('HSET', key, 'end', offset, 'checksum', checksum, 'bytes', bytes + size, 'updated_at', now())
if ends == '1' then
  redis.call('HSET', key, 'finished', 1)
  if reason ~= '' then
    redis.call('HSET', key, 'reason', reason, 'message', message)
  end
  keep = retention
end
redis.call('PEXPIRE', key, keep)
redis.call('PEXPIRE', log, keep)
redis.call('SPUBLISH', log, '')
return {1, epoch, drawn_now}
