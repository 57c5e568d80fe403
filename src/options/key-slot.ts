/** How many slots a Redis Cluster shares out among its nodes. */
export const SLOTS = 16_384;

/** The slot of a key, or of its hash tag: CRC16 (XMODEM) modulo 16,384. (Redis Cluster specification, "Key distribution model".) */
export function slotOf(tag: string): number {
  let crc = 0;
  for (const byte of Buffer.from(tag)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = ((crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021) & 0xffff;
  }
  return crc % SLOTS;
}
