import { script } from './group-link.js';

/**
 * Counts messages, and acknowledges their entries in the same step: an entry is counted when this takes it off the
 * group's list, so however often it is delivered, it is counted once.
 *
 * Where a bucket is full, a new message takes the place of the least frequent one and goes on from its count, which is
 * noted as the error that its own count may have ("Space-Saving", Metwally, Agrawal and El Abbadi, 2005): the sum of a
 * bucket stays the number of its records, and what makes up more than one part in `maxTemplates` of them is never lost.
 *
 * KEYS: stream, `insights`, its sections, messages and `seen`, then counts and errors of each bucket.
 * ARGV: group, bucketMs, keptBuckets, maxTemplates, maxSections, maxMessages, forgetAfterMs, number of buckets; of each
 * bucket: section, start, number of messages; of each message: id, first and last time, what is known of it, number of
 * entries, their ids.
 *
 * Answers the number of records that were counted, that came too late (or from a clock far ahead) for any bucket, and that
 * are of one service too many; then the length of the buckets used before, or 0 where it is the same.
 */
export const COUNT_MESSAGES = script(`
local stream, meta, sections, messages, seen = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local at = 0
local function arg() at = at + 1; return ARGV[at] end
local function number() return tonumber(arg()) end
local function int(n) return string.format('%.0f', n) end

local group, bucketMs, keptBuckets, maxTemplates = arg(), number(), number(), number()
local maxSections, maxMessages, forgetAfterMs = number(), number(), number()
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local keptMs = bucketMs * keptBuckets
local counted, outOfTime, crowded = 0, 0, 0
local since, newest = nil, nil

-- A script is not rolled back: a key that may not be written, or that holds something else, shows before any entry is
-- acknowledged.
for i = 2, #KEYS do
  local isHash = i == 2 or i == 4 or (i > 5 and i % 2 == 1)
  redis.call(isHash and 'HDEL' or 'ZREM', KEYS[i], '')
end

local function admits(section)
  if not redis.call('ZSCORE', sections, section) and redis.call('ZCARD', sections) >= maxSections then
    redis.call('ZREMRANGEBYSCORE', sections, '-inf', int(now - keptMs))
    if redis.call('ZCARD', sections) >= maxSections then return false end
  end
  redis.call('ZADD', sections, int(now), section)
  return true
end

local function known(id)
  local text = redis.call('HGET', messages, id)
  if not text then return nil end
  local first, last, rest = string.match(text, '^(%d+) (%d+) (.*)$')
  return tonumber(first), tonumber(last), rest
end

local function forget(ids)
  if #ids == 0 then return end
  redis.call('HDEL', messages, unpack(ids))
  redis.call('ZREM', seen, unpack(ids))
end

local function add(bucket, id, n)
  local error = 0
  if bucket.size >= maxTemplates and not redis.call('ZSCORE', bucket.counts, id) then
    local least = redis.call('ZRANGE', bucket.counts, 0, 0, 'WITHSCORES')
    error = tonumber(least[2])
    redis.call('ZREM', bucket.counts, least[1])
    redis.call('HDEL', bucket.errors, least[1])
    redis.call('HSET', bucket.errors, id, least[2])
    -- One that was never seen before this bucket has left no other trace.
    local first = known(least[1])
    if first and first >= bucket.start then forget({ least[1] }) end
  end
  redis.call('ZINCRBY', bucket.counts, int(error + n), id)
  if bucket.size < maxTemplates then bucket.size = redis.call('ZCARD', bucket.counts) end
end

local function note(id, first, last, detail)
  local knownFirst, knownLast, rest = known(id)
  if knownFirst and knownFirst < first then first = knownFirst end
  if knownLast and knownLast > last then last, detail = knownLast, rest end
  redis.call('HSET', messages, id, int(first) .. ' ' .. int(last) .. ' ' .. detail)
  redis.call('ZADD', seen, int(last), id)
end

for b = 1, number() do
  local bucket = { counts = KEYS[4 + 2 * b], errors = KEYS[5 + 2 * b] }
  local section = arg()
  bucket.start = number()
  bucket.size = redis.call('ZCARD', bucket.counts)
  local isInTime = bucket.start + keptMs > now and bucket.start <= now + bucketMs
  local isAdmitted = nil
  for _ = 1, number() do
    local id, first, last, detail, ids = arg(), number(), number(), arg(), {}
    for i = 1, number() do ids[i] = arg() end
    local n = redis.call('XACK', stream, group, unpack(ids))
    if n > 0 and isInTime and isAdmitted == nil then isAdmitted = admits(section) end
    if n > 0 then
      if not isInTime then outOfTime = outOfTime + n
      elseif not isAdmitted then crowded = crowded + n
      else
        add(bucket, id, n)
        note(id, first, last, detail)
        counted = counted + n
        since = math.min(since or first, first)
      end
      newest = math.max(newest or last, last)
    end
  end
  if bucket.size > 0 then
    redis.call('PEXPIREAT', bucket.counts, int(bucket.start + keptMs))
    redis.call('PEXPIREAT', bucket.errors, int(bucket.start + keptMs))
  end
end
if not newest then return { 0, 0, 0, 0 } end

-- A bounded part at once, since counters with other limits may have left any number.
local excess = math.min(redis.call('ZCARD', seen) - maxMessages, 1000)
if excess > 0 then forget(redis.call('ZRANGE', seen, 0, excess - 1)) end
forget(redis.call('ZRANGEBYSCORE', seen, '-inf', int(now - forgetAfterMs), 'LIMIT', 0, 100))

local old = redis.call('HMGET', meta, 'since', 'until', 'bucketMs')
-- Buckets of another length are not read any more, so counting begins anew.
local other = 0
if old[3] ~= int(bucketMs) then
  other = tonumber(old[3] or 0) or 0
  redis.call('HDEL', meta, 'since')
  old[1] = false
end
if since then redis.call('HSET', meta, 'since', int(math.min(since, tonumber(old[1]) or since))) end
redis.call('HSET', meta, 'bucketMs', int(bucketMs), 'keptBuckets', int(keptBuckets),
  'until', int(math.max(newest, tonumber(old[2]) or newest)))
for _, key in ipairs({ meta, sections, messages, seen }) do
  redis.call('PEXPIRE', key, int(math.max(forgetAfterMs, keptMs)))
end
return { counted, outOfTime, crowded, other }
`);
