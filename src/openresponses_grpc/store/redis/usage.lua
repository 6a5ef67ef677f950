#!lua flags=no-writes,allow-cross-slot-keys
-- Tells how full this server is, and sums up what tenants have of a part of its streams.
-- ARGV: the cursor of the part; how many keys to look at, 0 for none; bytes that a stream counts beside its events.
-- Returns: bytes of memory in use, and how many may be; the cursor of the next part, 0 after the last one; tenants, each
--          with its bytes.
local memory = redis.call('INFO', 'memory')
local reply = {
  tonumber(string.match(memory, 'used_memory:(%d+)')), tonumber(string.match(memory, 'maxmemory:(%d+)')), '0',
}
if ARGV[2] == '0' then
  return reply
end
local found = redis.call('SCAN', ARGV[1], 'MATCH', 'openresponses:{*}:state', 'COUNT', ARGV[2])
local bytes = {}
for _, key in ipairs(found[2]) do
  -- A node may still have keys of a slot that has moved, which a script cannot read.
  local state = redis.pcall('HMGET', key, 'tenant', 'bytes')
  if not state.err then
    local tenant = state[1] or ''
    bytes[tenant] = (bytes[tenant] or 0) + (tonumber(state[2]) or 0) + ARGV[3]
  end
end
reply[3] = found[1]
for tenant, size in pairs(bytes) do
  reply[#reply + 1] = tenant
  reply[#reply + 1] = size
end
return reply
