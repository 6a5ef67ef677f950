-- Appends events to a stream if its end offset and checksum are those that the caller expects.
-- KEYS: the state and the log of the stream.
-- ARGV: one string of numbers: the expected end offset and checksum; 1 to admit the publisher only if they match, else
--       0; 1 to append, 0 only to admit the publisher; 1 to end the stream, else 0; the bytes of the events; the maximum
--       bytes of the stream; milliseconds for which the stream is kept from now, and after its end. Then: the epoch that
--       the stream must have, or ''; the publisher's number, '0' to draw one, or ''; the epoch of a new stream; the
--       reason and the message of the failure, or ''; the tenant of a new stream. Then for each entry: the number of
--       its events, the checksums before and after them, the serialized events.
-- Returns: after an append: 1, the epoch, the number drawn or ''. Otherwise: 0, the epoch or '', the number drawn or '',
--          1 if the publisher was admitted, and of the stream: its end offset, its checksum, its bytes, 1 if it is
--          finished, the reason and the message of its failure, its owner.
local number = string.gmatch(ARGV[1], '%d+')
local expected_end, expected_checksum, strict, appends, ends = number(), number(), number(), number(), number()
local size, max_size, keep, retention = number(), number(), number(), number()
local expected_epoch, publisher, new_epoch, reason, message, tenant = unpack(ARGV, 2, 7)
local key, log = KEYS[1], KEYS[2]
local state = read_state(key)
local epoch, checksum = state.epoch, state.checksum or '0'
local offset, bytes = tonumber(state['end'] or 0), tonumber(state.bytes or 0)
local owner, drawn, drawn_now = tonumber(state.owner or 0), tonumber(state.drawn or 0), ''
local matches = offset == tonumber(expected_end) and checksum == expected_checksum

local function not_appended(admitted)
  return {
    0, epoch or '', drawn_now, admitted, offset, checksum, bytes, state.finished and 1 or 0,
    state.reason or '', state.message or '', string.format('%.0f', owner),
  }
end

if (expected_epoch ~= '' and expected_epoch ~= epoch) or (strict == '1' and not matches)
  or (owner > 0 and publisher ~= '0' and (tonumber(publisher) or 0) < owner)
then
  return not_appended(0)
end

appends = appends == '1' and matches and not state.finished and bytes + size <= tonumber(max_size)
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
  return not_appended(1)
end
if not created and ends ~= '1' and #ARGV == 7 then
  return {1, epoch, drawn_now}
end

for entry = 8, #ARGV, 4 do
  offset = offset + ARGV[entry]
  checksum = ARGV[entry + 2]
  -- The ID is the offset after the events, so an offset is in the first entry with a greater ID.
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
