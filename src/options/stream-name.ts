/**
 * Does the key have a hash tag in the sense of Redis Cluster: the first `{`, the first `}` after it, and
 * something in between? (Redis Cluster specification, "Hash tags".)
 */
export function hasHashTag(key: string): boolean {
  const open = key.indexOf('{');
  return open >= 0 && key.indexOf('}', open + 1) > open + 1;
}

/**
 * Can this be the name of a stream of ours? The helper keys of a stream without a hash tag are named
 * `{<stream>}:<helper>`, and a `}` inside that would end the tag early and put them on another Cluster node.
 */
export function isStreamName(name: unknown): name is string {
  return typeof name === 'string' && name !== '' && (!name.includes('}') || hasHashTag(name));
}
