/**
 * The structs that host and shaders share, field by field; a test compares
 * them with `src/shaders/layout.wgsl`.
 *
 * @module
 */

/** Type of a field; all are 4 bytes wide. */
export type FieldType = "u32" | "f32";

/** Fields of a struct, in order. */
export type StructFields = Readonly<Record<string, FieldType>>;

/** A model of the table of models. Offsets count 32-bit numbers, except that of the outputs: vectors of four. From `parameter_offset` on they are of the block layout. */
export const MODEL_FIELDS = {
  steps: "u32",
  first_scored: "u32",
  activation: "u32",
  optimizer: "u32",
  learning_rate: "f32",
  state_offset: "u32",
  delta_offset: "u32",
  output_offset: "u32",
  input_offset: "u32",
  target_offset: "u32",
  train_recurrent: "u32",
  parameter_offset: "u32",
  moment_offset: "u32",
  bias_offset: "u32",
  rows_at: "u32",
  columns_at: "u32",
  blocks_at: "u32",
  back_at: "u32",
  chunks_at: "u32",
  chunks: "u32",
  readout_block: "u32",
} as const satisfies StructFields;

/** Values of a model's entry. */
export type ModelFields = Record<keyof typeof MODEL_FIELDS, number>;

/** What the kernels of one batch need to know of it. */
export const BATCH_FIELDS = {
  start: "u32",
  size: "u32",
  number: "u32",
  history_slot: "u32",
  adam_step_scale: "f32",
  adam_root_scale: "f32",
  probe: "u32",
  first_model: "u32",
} as const satisfies StructFields;

/** Which time step (counted from 1) or panel of the gradient a dispatch is for. */
export const TIME_FIELDS = {
  step: "u32",
  first_unit: "u32",
} as const satisfies StructFields;

/** Bytes of a struct of such fields. */
export function structBytes(fields: StructFields): number {
  return Object.keys(fields).length * 4;
}

/** Writes one struct into a buffer's bytes; numbers in machine order, as WebGPU wants them. */
export function writeStruct<F extends StructFields>(
  view: DataView,
  options: {
    readonly fields: F;
    readonly offset: number;
    readonly values: Readonly<Record<keyof F, number>>;
  },
): void {
  const { fields, offset, values } = options;
  let at = offset;
  for (const [name, type] of Object.entries(fields)) {
    const value = values[name] as number;
    if (type === "u32") view.setUint32(at, value, true);
    else view.setFloat32(at, value, true);
    at += 4;
  }
}
