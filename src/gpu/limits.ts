/**
 * The limits of an adapter, in numbers and in words.
 *
 * @module
 */

const MEBIBYTE = 2 ** 20;

/** Memory of an ensemble where nothing else is said: WebGPU does not tell how much a device has. */
export const DEFAULT_MEMORY_BYTES: number = 2 ** 31;

/** Limits by their WebGPU names. */
export type AdapterLimits = Readonly<Record<string, number>>;

/** Bytes of as many numbers as the kernels' 32-bit offsets can count. */
const OFFSET_BYTES = 4 * 2 ** 32;

/** Bytes of the largest buffer that can be bound, and the limit that says so. */
export function bindingLimit(
  limits: AdapterLimits,
): { readonly bytes: number; readonly name: string } {
  const name = limits.maxStorageBufferBindingSize! <= limits.maxBufferSize!
    ? "maxStorageBufferBindingSize"
    : "maxBufferSize";
  if (limits[name]! > OFFSET_BYTES) {
    return { bytes: OFFSET_BYTES, name: "the reach of 32-bit offsets" };
  }
  return { bytes: limits[name] as number, name };
}

/** "1.5 MiB" */
export function megabytes(bytes: number): string {
  return `${(bytes / MEBIBYTE).toFixed(bytes < 10 * MEBIBYTE ? 1 : 0)} MiB`;
}
