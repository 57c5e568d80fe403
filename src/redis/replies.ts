/** The items of a reply; none where it is no list. */
export function listOf(reply: unknown): readonly unknown[] {
  return Array.isArray(reply) ? reply : [];
}

/** Names and values in one list, as XINFO answers. */
export function readPairs(reply: unknown): Map<string, unknown> {
  const flat = listOf(reply);
  const pairs = new Map<string, unknown>();
  for (let i = 0; i + 1 < flat.length; i += 2) pairs.set(String(flat[i]), flat[i + 1]);
  return pairs;
}
