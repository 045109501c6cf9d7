/**
 * What is kept of a run while an experiment trains: one file when it is
 * finished, and the newest two states while it is under way. All are
 * safetensors with a checksum, written whole, in the `runs` folder of the
 * results.
 *
 * @module
 */

import type { FloatArray, ModelSize, Parameters } from "../rnn/parameters.ts";
import { PARAMETER_NAMES, parameterShapes } from "../rnn/parameters.ts";
import type { ModelState } from "../engine/ensemble.ts";
import { InputError } from "../files/input_error.ts";
import { sha256Hex } from "../files/checksum.ts";
import { decodeSafetensors, encodeSafetensors } from "../files/safetensors.ts";
import type { RunUnit } from "./run_unit.ts";

/** Curves of one run, one value an epoch. */
export interface RunHistory {
  readonly trainLoss: Float64Array;
  readonly validateLoss: Float64Array;
  /** In %; only for the n-back tasks. */
  readonly trainAccuracy?: Float64Array;
  readonly validateAccuracy?: Float64Array;
}

/** A finished run, or one under way where `state` is given. */
export interface RunRecord {
  readonly unit: RunUnit;
  /** Fingerprint of the experiment the run belongs to. */
  readonly experiment: string;
  /** The engine that trained it, e.g. "webgpu: NVIDIA H200". */
  readonly engine: string;
  readonly history: RunHistory;
  readonly state?: ModelState;
}

/** Names an engine in records, e.g. "webgpu: NVIDIA H200". */
export function engineName(
  { kind, description }: {
    readonly kind: string;
    readonly description: string;
  },
): string {
  return `${kind}: ${description}`;
}

/** What the record of a run says that began on one engine and goes on on another, or the same. */
export function engineAfter(before: string | undefined, now: string): string {
  if (before === undefined || before === now) return now;
  return before.endsWith(`, then ${now}`) ? before : `${before}, then ${now}`;
}

const FORMAT = "biornn-run/1";
const CURVES = [
  "trainLoss",
  "validateLoss",
  "trainAccuracy",
  "validateAccuracy",
] as const;
const STATE_PARTS = ["parameters", "firstMoment", "secondMoment"] as const;

interface Tensor {
  name: string;
  shape: readonly number[];
  data: FloatArray;
}

/** The checksum covers the tensors and all the metadata but itself. */
async function checksum(
  tensors: readonly Tensor[],
  metadata: Record<string, string>,
): Promise<string> {
  const sums: string[] = [];
  for (const { name, shape, data } of tensors) {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    sums.push(`${name} ${shape.join("x")} ${await sha256Hex(bytes)}`);
  }
  const facts = Object.keys(metadata).sort().map((k) => `${k}=${metadata[k]}`);
  const text = [...sums.sort(), ...facts].join("\n");
  return await sha256Hex(new TextEncoder().encode(text));
}

/** The bytes of a run's file. */
export async function encodeRunRecord(
  record: RunRecord,
  size: ModelSize,
): Promise<Uint8Array> {
  const tensors: Tensor[] = [];
  for (const name of CURVES) {
    const data = record.history[name];
    if (data !== undefined) tensors.push({ name, shape: [data.length], data });
  }
  const metadata: Record<string, string> = {
    format: FORMAT,
    combination: String(record.unit.combination),
    iteration: String(record.unit.iteration),
    experiment: record.experiment,
    engine: record.engine,
  };
  if (record.state !== undefined) {
    metadata.epoch = String(record.state.epoch);
    metadata.step = String(record.state.step);
    const { weightHh } = record.state.parameters;
    const shapes = parameterShapes(size, weightHh.length);
    for (const part of STATE_PARTS) {
      for (const name of PARAMETER_NAMES) {
        tensors.push({
          name: `${part}.${name}`,
          shape: shapes[name],
          data: record.state[part][name],
        });
      }
    }
  }
  metadata.checksum = await checksum(tensors, metadata);
  return encodeSafetensors(tensors, metadata);
}

/**
 * Reads a run's file.
 *
 * @throws {InputError} If the file is broken, cut short or does not hold a run of that size.
 */
export async function decodeRunRecord(
  bytes: Uint8Array,
  { name, size }: { readonly name: string; readonly size: ModelSize },
): Promise<RunRecord> {
  const fail = (what: string): never => {
    throw new InputError(`Cannot use the run file "${name}": ${what}`);
  };
  const file = decodeSafetensors(bytes, { name });
  const { checksum: stored, ...metadata } = file.metadata;
  if (metadata.format !== FORMAT) {
    fail(`its format is ${metadata.format ?? "not given"}, not ${FORMAT}`);
  }
  const tensors: Tensor[] = [];
  const found = new Map<string, Tensor>();
  for (const tensor of file.tensors) {
    const { data } = tensor;
    if (!(data instanceof Float32Array || data instanceof Float64Array)) {
      return fail(`tensor ${tensor.name} holds no floating-point numbers`);
    }
    const entry = { name: tensor.name, shape: tensor.shape, data };
    tensors.push(entry);
    found.set(entry.name, entry);
  }
  if (await checksum(tensors, metadata) !== stored) {
    fail("its checksum does not fit its content, so it is damaged");
  }
  const history: Record<string, Float64Array> = {};
  for (const curve of CURVES) {
    const tensor = found.get(curve);
    if (tensor?.data instanceof Float64Array) history[curve] = tensor.data;
  }
  if (history.trainLoss === undefined || history.validateLoss === undefined) {
    fail("it holds no losses");
  }
  const record: RunRecord = {
    unit: {
      combination: Number(metadata.combination),
      iteration: Number(metadata.iteration),
    },
    experiment: metadata.experiment ?? "",
    engine: metadata.engine ?? "",
    history: history as unknown as RunHistory,
  };
  if (metadata.epoch === undefined) return record;
  const count = found.get("parameters.weightHh")?.shape;
  if (count?.length !== 1) {
    fail(
      `parameters.weightHh is ${
        count === undefined ? "missing" : `[${count}]`
      }, expected a list of weights`,
    );
  }
  const shapes = parameterShapes(size, count![0]!);
  const part = (prefix: string): Parameters => {
    const parameters: Partial<Record<keyof Parameters, FloatArray>> = {};
    for (const key of PARAMETER_NAMES) {
      const tensor = found.get(`${prefix}.${key}`);
      const shape = shapes[key];
      if (tensor === undefined || tensor.shape.join() !== shape.join()) {
        return fail(
          `${prefix}.${key} is ${
            tensor === undefined ? "missing" : `[${tensor.shape}]`
          }, expected [${shape}]`,
        );
      }
      parameters[key] = tensor.data;
    }
    return parameters as Parameters;
  };
  return {
    ...record,
    state: {
      epoch: Number(metadata.epoch),
      step: Number(metadata.step),
      parameters: part("parameters"),
      firstMoment: part("firstMoment"),
      secondMoment: part("secondMoment"),
    },
  };
}
