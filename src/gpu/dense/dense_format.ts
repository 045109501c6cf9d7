/**
 * Whole matrices on the device (`src/shaders/dense/places.wgsl`): the best where
 * a good part of all possible connections exists.
 *
 * @module
 */

import gradientText from "../../shaders/dense/gradient.wgsl" with {
  type: "text",
};
import placesText from "../../shaders/dense/places.wgsl" with { type: "text" };
import sequenceText from "../../shaders/dense/sequence.wgsl" with {
  type: "text",
};
import stepText from "../../shaders/dense/step.wgsl" with { type: "text" };
import type { Connections } from "../../graph/connections.ts";
import { hasPort, type Ports } from "../../rnn/parameters.ts";
import {
  type AdapterLimits,
  type FormatOptions,
  type Layout,
  makeLayout,
  roundUp,
} from "../layout.ts";
import type { StepProduct, WeightFormat } from "../weight_format.ts";

/** Whole matrices. */
export function denseFormat(options: FormatOptions): WeightFormat {
  const { hiddenSize, inputSize, outputSize } = options.size;
  const hidden = roundUp(hiddenSize, 4);
  const slot = roundUp(hidden + inputSize + 1, 16);
  const units = roundUp(hidden + outputSize, 16);
  const layout = makeLayout(options, { slot, units });
  const matrix = units * slot;
  const words = {
    lists: units * Math.ceil(slot / 32),
    back: 0,
    places: matrix,
    parameters: matrix + slot * hidden,
  };
  return {
    name: "dense",
    layout,
    places: placesText,
    constants: {},
    forward: stepProduct(layout, options, 0),
    backward: stepProduct(layout, options, 1),
    gradient: gradientProduct(layout, options.limits),
    words: () => words,
    topology: (connections, ports) => ({
      words,
      ...listWeights(layout, connections, ports),
      back: new Uint32Array(),
      fields: ({ lists }) => ({ mask_at: lists }),
      entries: hiddenSize ** 2,
      chunks: 0,
      input: (unit, i) => unit * slot + hidden + i,
      output: (o, unit) =>
        (hidden + o) * slot +
        (unit < hiddenSize ? unit : hidden + inputSize),
      complete(values) {
        for (let unit = 0; unit < hidden; unit++) {
          for (let column = 0; column < slot; column++) {
            values[matrix + column * hidden + unit] = values[
              unit * slot + column
            ]!;
          }
        }
      },
    }),
  };
}

/**
 * The place of each connection's weight, and a bit for each place, 1 where there
 * is a weight: column c in bit c % 32 of word c / 32 of its row.
 */
function listWeights(
  { hiddenSize, inputSize, outputSize, hidden, slot, units }: Layout,
  { start, sender }: Connections,
  ports: Ports | undefined,
) {
  const recurrent = new Uint32Array(sender.length);
  const words = Math.ceil(slot / 32);
  const lists = new Uint32Array(units * words);
  const set = (row: number, column: number) => {
    lists[row * words + (column >>> 5)]! |= 1 << (column & 31);
  };
  for (let unit = 0; unit < hiddenSize; unit++) {
    for (let n = start[unit]!; n < start[unit + 1]!; n++) {
      recurrent[n] = unit * slot + sender[n]!;
      set(unit, sender[n]!);
    }
    const first = hasPort(ports, unit, "input") ? 0 : inputSize;
    for (let i = first; i <= inputSize; i++) set(unit, hidden + i);
    const outputs = hasPort(ports, unit, "output") ? outputSize : 0;
    for (let o = 0; o < outputs; o++) set(hidden + o, unit);
  }
  for (let o = 0; o < outputSize; o++) set(hidden + o, hidden + inputSize);
  return { recurrent, lists };
}

/** Fewer than so many trials of a workgroup use each weight too rarely. */
const LEAST_TRIAL_LANES = 2;

/**
 * All steps in a workgroup where the rows of 16 trials, or of 8, fit its memory;
 * else a dispatch a step. Two vectors of units an invocation forward and one
 * backward (25 TFLOP/s each on an H200, 24 and 23 the other way round); one where
 * there would be less than two subgroups, more where there would be too many
 * invocations.
 */
function stepProduct(
  { hidden, slot, units, vectors, ranged }: Layout,
  { limits, allSteps = true }: FormatOptions,
  backward: 0 | 1,
): StepProduct {
  const rows = backward === 1 ? units : slot;
  const memory = limits.maxComputeWorkgroupStorageSize!;
  const unitVectors = hidden / 4;
  let trialLanes = vectors > 2 ? 4 : vectors;
  const fits = () => rows * trialLanes * 16 <= memory;
  while (trialLanes > LEAST_TRIAL_LANES && !fits()) trialLanes /= 2;
  if (allSteps && !ranged && fits()) {
    const few = backward === 1 || unitVectors * trialLanes < 128;
    for (const vecs of few ? [1, 2, 4] : [2, 4]) {
      const groups = Math.ceil(unitVectors / vecs);
      const lanes = groups * trialLanes;
      if (lanes > limits.maxComputeInvocationsPerWorkgroup!) continue;
      return {
        text: sequenceText,
        constants: {
          LANES: lanes,
          TRIAL_LANES: trialLanes,
          ROWS: rows,
          VECS: vecs,
          GROUPS: groups,
          AHEAD: 16,
          BACKWARD: backward,
        },
        unitGroups: 1,
        allSteps: true,
        vectors: trialLanes,
      };
    }
  }
  const stage = 8;
  const unitLanes = 16;
  const lanesAlong = 8;
  const lanes = unitLanes * lanesAlong;
  return {
    text: stepText,
    constants: {
      LANES: lanes,
      TRIAL_LANES: lanesAlong,
      ROWS: rows,
      STAGE: stage,
      WEIGHT_LOADS: stage * 2 * unitLanes / lanes,
      SLOT_LOADS: stage * 2 * lanesAlong / lanes,
      BACKWARD: backward,
    },
    unitGroups: Math.ceil(unitVectors / (2 * unitLanes)),
    allSteps: false,
    vectors: 2 * lanesAlong,
  };
}

/** More sums than that take the registers that loads ahead need. */
const MOST_SUMS = 56;

/** Vectors of trials of a stage: with 4 it takes an eighth longer. */
const STAGE = 8;

/**
 * The tile of least cost: products and, a bit each, the loads for them. Larger
 * workgroups come first, as they load less.
 */
function gradientProduct(
  { units, slot }: Layout,
  limits: AdapterLimits,
): WeightFormat["gradient"] {
  let least = Infinity;
  let best = { tm: 1, tn: 1, gm: 8, gn: 8 };
  for (const [gm, gn] of [[16, 16], [16, 8], [8, 8]] as const) {
    if (gm * gn > limits.maxComputeInvocationsPerWorkgroup!) continue;
    for (let tm = 1; tm <= 8; tm++) {
      for (let tn = 1; tn <= 8; tn++) {
        const bytes = (tm * gm + tn * gn) * (STAGE + 1) * 16;
        const fits = bytes <= limits.maxComputeWorkgroupStorageSize!;
        if (tm * tn > MOST_SUMS || !fits) continue;
        const tiles = Math.ceil(units / (tm * gm)) *
          Math.ceil(slot / (tn * gn));
        const cost = tiles * gm * gn * (tm * tn + tm + tn + 8);
        if (cost < least) {
          least = cost;
          best = { tm, tn, gm, gn };
        }
      }
    }
  }
  const { tm, tn, gm, gn } = best;
  const lanes = gm * gn;
  return {
    text: gradientText,
    constants: {
      LANES: lanes,
      TM: tm,
      TN: tn,
      GM: gm,
      GN: gn,
      STAGE,
      LEFT_LOADS: Math.ceil(tm * gm * STAGE / lanes),
      RIGHT_LOADS: Math.ceil(tn * gn * STAGE / lanes),
    },
    groups: () => [Math.ceil(slot / (tn * gn)), Math.ceil(units / (tm * gm))],
  };
}
