/** Ids by how often their entries were delivered: Redis sets that number for many entries at once. */
export function idsByDeliveries(
  entries: readonly { readonly id: string; readonly deliveries: number }[],
): Map<number, string[]> {
  const groups = new Map<number, string[]>();
  for (const { id, deliveries } of entries) {
    const ids = groups.get(deliveries);
    if (ids === undefined) groups.set(deliveries, [id]);
    else ids.push(id);
  }
  return groups;
}
