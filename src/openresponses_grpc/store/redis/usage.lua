#!lua flags=no-writes,allow-cross-slot-keys
-- Returns the memory usage of this node, and the bytes of each tenant in a part of its streams.
-- ARGV: the cursor of SCAN; the number of keys to scan, 0 for none; the bytes that a stream counts in addition to its
--       events.
-- Returns: the bytes of memory in use; maxmemory, 0 if Redis reports none; the next cursor, 0 at the end; then for each
--          tenant: its name and its bytes.
local memory = redis.call('INFO', 'memory')
local reply = {
  tonumber(string.match(memory, 'used_memory:(%d+)') or 0), tonumber(string.match(memory, 'maxmemory:(%d+)') or 0), '0',
}
if ARGV[2] == '0' then
  return reply
end
local found = redis.call('SCAN', ARGV[1], 'MATCH', 'openresponses:{*}:state', 'COUNT', ARGV[2])
local bytes = {}
for _, key in ipairs(found[2]) do
  -- The node may still have keys of a slot that was moved, which a script cannot read.
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
