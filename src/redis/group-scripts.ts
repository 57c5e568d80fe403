import { script } from './group-link.js';

/** The texts that stand before the fields of a dead letter, in this order; each is a name and a value. */
export const DEAD_LETTER_FIELDS = [
  '@dlq.id',
  '@dlq.group',
  '@dlq.consumer',
  '@dlq.reason',
  '@dlq.error',
  '@dlq.deliveries',
] as const;

/** The field of a dead letter that holds all fields of an entry which had too many. */
export const PACKED_FIELD = '@dlq.packed';

/** Lua's stack takes about 8,000 values in one call; an entry of more fields is kept in one. */
const MAX_VALUES = 7_000;

/**
 * Moves one entry to the dead letters: appended there with every byte as it was, and acknowledged here, or neither.
 * Only for the consumer that holds it: whoever has taken it over meanwhile decides on it.
 *
 * KEYS: stream, dead letters. ARGV: group, consumer, id, reason, error.
 */
export const DEAD_LETTER = script(`
local stream, dead = KEYS[1], KEYS[2]
local group, consumer, id, reason, problem = unpack(ARGV)
local pending = redis.call('XPENDING', stream, group, id, id, 1)[1]
if not pending then return 'GONE' end
if pending[2] ~= consumer then return 'TAKEN' end
local count = string.format('%.0f', pending[4])
local claimed = redis.call('XCLAIM', stream, group, consumer, 0, id, 'RETRYCOUNT', count)
local entry = claimed[1]
if not entry or not entry[2] then
  redis.call('XACK', stream, group, id)
  return 'TRIMMED'
end
local command = { 'XADD', dead, '*', '@dlq.id', id, '@dlq.group', group, '@dlq.consumer', consumer,
  '@dlq.reason', reason, '@dlq.error', problem, '@dlq.deliveries', count }
local fields = entry[2]
if #fields > ${MAX_VALUES} then fields = { '${PACKED_FIELD}', cmsgpack.pack(fields) } end
for i = 1, #fields do command[#command + 1] = fields[i] end
local reply = redis.pcall(unpack(command))
if type(reply) == 'table' and reply.err then return reply end
redis.call('XACK', stream, group, id)
return 'MOVED'
`);

/**
 * Puts one dead letter back where it came from, with its fields as they were: appended there and removed here, or
 * neither. Asked twice, it does so once. What has too many fields for that stays where it is.
 *
 * KEYS: dead letters, stream. ARGV: id of the dead letter.
 */
export const REPLAY = script(`
local entry = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])[1]
if not entry then return 'GONE' end
local fields, from = entry[2], ${2 * DEAD_LETTER_FIELDS.length + 1}
if fields[1] ~= '@dlq.id' then return 'FOREIGN' end
if fields[from] == '${PACKED_FIELD}' then
  fields, from = cmsgpack.unpack(fields[from + 1]), 1
end
if #fields > ${MAX_VALUES} then return 'TOO_MANY_FIELDS' end
local command = { 'XADD', KEYS[2], '*' }
for i = from, #fields do command[#command + 1] = fields[i] end
local reply = redis.pcall(unpack(command))
if type(reply) == 'table' and reply.err then return reply end
redis.call('XDEL', KEYS[1], ARGV[1])
return 'MOVED'
`);

/**
 * The fields of a dead letter's entry that were packed into one, as they were.
 *
 * KEYS: dead letters. ARGV: id of the dead letter.
 */
export const UNPACK = script(`
local entry = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])[1]
if not entry then return {} end
return cmsgpack.unpack(entry[2][${2 * DEAD_LETTER_FIELDS.length + 2}])
`);

/**
 * Removes a consumer that has been silent for long, unless it holds anything: removing it would drop that for good.
 *
 * KEYS: stream. ARGV: group, consumer, least silence in milliseconds.
 */
export const FORGET_CONSUMER = script(`
for _, reply in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local consumer = {}
  for i = 1, #reply, 2 do consumer[reply[i]] = reply[i + 1] end
  if consumer.name == ARGV[2] then
    if consumer.pending > 0 or consumer.idle < tonumber(ARGV[3]) then return 0 end
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
    return 1
  end
end
return 0
`);

/**
 * Acknowledges entries, and notes the numbers of their producers as handled, both in one step. A note is a list of
 * ranges, such as 1-5000,5003; where it gets too long the lowest ranges are forgotten, never joined.
 *
 * KEYS: stream, then one note a producer. ARGV: group, lifetime of a note in milliseconds, most ranges in one, number
 * of ids, ids, then for each note the ranges to add.
 */
export const ACKNOWLEDGE = script(`
local ids = {}
for i = 1, tonumber(ARGV[4]) do ids[i] = ARGV[4 + i] end
local acknowledged = redis.call('XACK', KEYS[1], ARGV[1], unpack(ids))

local function read(text, ranges)
  for from, to in string.gmatch(text, '(%d+)%-?(%d*)') do
    local first = tonumber(from)
    ranges[#ranges + 1] = { first, to == '' and first or tonumber(to) }
  end
end

for k = 2, #KEYS do
  local ranges = {}
  read(redis.call('GET', KEYS[k]) or '', ranges)
  read(ARGV[3 + #ids + k], ranges)
  table.sort(ranges, function(a, b) return a[1] < b[1] end)
  local joined = {}
  for _, range in ipairs(ranges) do
    local last = joined[#joined]
    if last and range[1] <= last[2] + 1 then last[2] = math.max(last[2], range[2])
    else joined[#joined + 1] = range end
  end
  local texts = {}
  for i = math.max(1, #joined - tonumber(ARGV[3]) + 1), #joined do
    texts[#texts + 1] = string.format('%.0f-%.0f', joined[i][1], joined[i][2])
  end
  redis.call('SET', KEYS[k], table.concat(texts, ','), 'PX', ARGV[2])
end
return acknowledged
`);
