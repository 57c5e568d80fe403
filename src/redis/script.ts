/**
 * The one script of the write path: OPEN and BATCH of the guard protocol (docs/exactly-once.md), for streams and for
 * lists, and the sweep of unused resources. It is one text so that OPEN, which is sent in full, leaves it cached on
 * the very server that BATCH will call by its digest.
 *
 * Written for Lua 5.1 as Redis runs it. Numbers are doubles, exact to 2^53; they are printed with %.0f because
 * tostring() gives up digits above 1e14. A script is not rolled back: whatever can fail is checked first or called
 * protected, and the guard always ends at the last number appended.
 */
export const SCRIPT = `
local target, guardKey, resourcesKey, seenKey = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local at = 0
local function arg() at = at + 1; return ARGV[at] end
local function int(n) return string.format('%.0f', n) end

local mode, kind = arg(), arg()
local existing = redis.call('TYPE', target).ok
if existing ~= 'none' and existing ~= kind then
  return redis.error_reply('WRONGTYPE the key holds a ' .. existing .. ' where a ' .. kind .. ' is expected')
end

local function serverMs()
  local t = redis.call('TIME')
  return tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
end

local function streamInfo()
  if kind ~= 'stream' or existing == 'none' then return nil end
  local reply = redis.pcall('XINFO', 'STREAM', target)
  if reply.err then return nil end
  local info = {}
  for i = 1, #reply, 2 do info[reply[i]] = reply[i + 1] end
  return info
end

if mode == 'sweep' then
  local info = streamInfo()
  if not info then return 0 end
  local first = info['first-entry']
  if not first then return 0 end
  local oldest = tonumber(string.match(first[1], '^(%d+)')) - 1
  local unused = redis.call('ZRANGEBYSCORE', seenKey, '-inf', int(oldest), 'LIMIT', 0, 1000)
  if #unused > 0 then
    redis.call('HDEL', resourcesKey, unpack(unused))
    redis.call('ZREM', seenKey, unpack(unused))
  end
  return #unused
end

local ttl, producer, epoch = arg(), arg(), tonumber(arg())

local function readGuard()
  local text = redis.call('GET', guardKey)
  if not text then return nil end
  local seq, holes, shed, ep = string.match(text, '^(%d+) (%-?%d+) (%d+) (%d+)$')
  if not seq then return nil end
  return { seq = tonumber(seq), holes = tonumber(holes), shed = tonumber(shed), epoch = tonumber(ep) }
end
local function writeGuard(seq, holes, shed, ep)
  local text = int(seq) .. ' ' .. int(holes) .. ' ' .. int(shed) .. ' ' .. int(ep)
  redis.call('SET', guardKey, text, 'PX', ttl)
end

if mode == 'open' then
  local history, from, shed = arg(), arg(), tonumber(arg())
  local searchable, bound = arg() == '1', tonumber(arg())
  local info = streamInfo()
  local lastId = info and info['last-generated-id'] or '0-0'
  if history == 'look' then return { 'LAST_ID', lastId } end
  local guard = readGuard()
  if guard then
    if epoch > guard.epoch then writeGuard(guard.seq, guard.holes, guard.shed, epoch) end
    return { 'GUARD', int(guard.seq), lastId, int(math.max(epoch, guard.epoch)) }
  end
  -- A stream that is gone has nothing of ours; of a list, readers may have taken it.
  if history == 'fresh' or (existing == 'none' and kind == 'stream') then
    writeGuard(0, 0, shed, epoch)
    return { 'GUARD', '0', lastId, int(epoch) }
  end
  if not searchable or not info then return { 'CANNOT_TELL', lastId } end

  local lower, cursor, looked = '-', '+', 0
  if history == 'unacknowledged' then lower = '(' .. from end
  while true do
    local entries = redis.pcall('XREVRANGE', target, cursor, lower, 'COUNT', 250)
    -- A user that may only write (see acl.ts) cannot look for its own entries.
    if entries.err then return { 'CANNOT_TELL', lastId } end
    for _, entry in ipairs(entries) do
      local fields, own, seq = entry[2], false, nil
      for i = 1, #fields, 2 do
        if fields[i] == 'producer' then own = fields[i + 1] == producer
        elseif fields[i] == 'seq' then seq = tonumber(fields[i + 1]) end
        if seq and own then break end
      end
      if own and seq then
        writeGuard(seq, -1, shed, epoch)
        return { 'GUARD', int(seq), lastId, int(epoch) }
      end
    end
    looked = looked + #entries
    if #entries < 250 then break end
    if looked >= bound then return { 'CANNOT_TELL', lastId } end
    cursor = '(' .. entries[#entries][1]
  end

  -- Not found. That proves that nothing of ours is there only if nothing can have been trimmed meanwhile.
  local added, first = info['entries-added'], info['first-entry']
  local complete = added ~= nil and added == info['length']
  if history == 'unacknowledged' and not complete and first then
    local ms, n = string.match(first[1], '^(%d+)-(%d+)$')
    local fromMs, fromN = string.match(from, '^(%d+)-(%d+)$')
    ms, n, fromMs, fromN = tonumber(ms), tonumber(n), tonumber(fromMs), tonumber(fromN)
    complete = ms < fromMs or (ms == fromMs and n <= fromN)
  end
  if not complete then return { 'CANNOT_TELL', lastId } end
  writeGuard(0, 0, shed, epoch)
  return { 'GUARD', '0', lastId, int(epoch) }
end

local prev, first, count = tonumber(arg()), tonumber(arg()), tonumber(arg())
local holes, shed = tonumber(arg()), tonumber(arg())
local maxLength, maxAge = arg(), arg()
local guard = readGuard()
if not guard then return { 'ABSENT' } end
if guard.epoch ~= epoch then return { 'REFUSED', int(guard.seq) } end
local last = first + count - 1
if count > 0 and first <= prev then
  return redis.error_reply('ERR number reuse: ' .. int(first) .. ' after ' .. int(prev))
end
if guard.seq ~= prev then
  if count > 0 and guard.seq >= last then return { 'ALREADY' } end
  return { 'REFUSED', int(guard.seq) }
end
if count == 0 then
  writeGuard(prev, holes, shed, epoch)
  return { 'OK', '' }
end

local now = serverMs()
for _ = 1, tonumber(arg()) do
  local hash, text = arg(), arg()
  redis.call('HSETNX', resourcesKey, hash, text)
  redis.call('ZADD', seenKey, int(now), hash)
end

-- A template: the command with its constants in place, where the variables go, and where the number goes.
local templates = {}
for _ = 1, tonumber(arg()) do
  local id, fields, kinds = arg(), tonumber(arg()), arg()
  local command, slots, seqSlot
  if kind == 'stream' then command = { 'XADD', target, '*' } else command = { 'RPUSH', target } end
  slots = {}
  for i = 1, fields do
    if kind == 'stream' then command[#command + 1] = arg() end
    local k = string.byte(kinds, i)
    if k == 118 then
      command[#command + 1] = ''
      slots[#slots + 1] = #command
    elseif k == 115 then
      command[#command + 1] = ''
      seqSlot = #command
    else
      command[#command + 1] = arg()
    end
  end
  templates[id] = { command = command, slots = slots, seq = seqSlot }
end

local lastId, appended, bad, failure = '', prev, nil, nil
for seq = first, last do
  local template = templates[ARGV[at + 1]]
  local command, slots = template.command, template.slots
  at = at + 1
  for i = 1, #slots do command[slots[i]] = ARGV[at + i] end
  at = at + #slots
  if template.seq then command[template.seq] = int(seq) end
  local reply = redis.pcall(unpack(command))
  if type(reply) == 'table' and reply.err then
    bad, failure = seq, reply.err
    break
  end
  lastId, appended = reply, seq
end
if appended > prev then writeGuard(appended, holes, shed, epoch) end

local trimError = ''
if kind == 'stream' then
  if maxLength ~= '' then
    local reply = redis.pcall('XTRIM', target, 'MAXLEN', '~', maxLength)
    if type(reply) == 'table' and reply.err then trimError = reply.err end
  end
  if maxAge ~= '' then
    local reply = redis.pcall('XTRIM', target, 'MINID', '~', int(now - tonumber(maxAge)))
    if type(reply) == 'table' and reply.err then trimError = reply.err end
  end
elseif maxLength ~= '' then
  redis.pcall('LTRIM', target, '-' .. maxLength, -1)
end
if failure then return { 'BAD', int(appended), int(bad), failure } end
return { 'OK', kind == 'stream' and lastId or '', trimError }
`;
