/**
 * Only the blocks of W that hold a connection lie on the device
 * (`src/shaders/blocks/lists.wgsl`), so that cost and memory follow the
 * connections.
 *
 * @module
 */

import gradientText from "../../shaders/blocks/gradient.wgsl" with {
  type: "text",
};
import listsText from "../../shaders/blocks/lists.wgsl" with { type: "text" };
import productText from "../../shaders/blocks/product.wgsl" with {
  type: "text",
};
import type { Connections } from "../../graph/connections.ts";
import type { Ports } from "../../rnn/parameters.ts";
import { type Layout, roundUp } from "../layout.ts";
import type {
  AdapterLimits,
  StepProduct,
  WeightFormat,
} from "../weight_format.ts";
import {
  type BlockShape,
  countAllBlocks,
  listWords,
  makeBlockShape,
  makeTopology,
} from "./block_lists.ts";

/** Chunks of the gradient along the first dimension of a dispatch. */
const CHUNKS_ALONG = 32_768;

/** Workgroups along a dimension of a dispatch that every adapter allows. */
const MOST_GROUPS = 65_535;

/** Blocks of 4 × 4 weights, or single connections. */
export function blockFormat(
  common: Layout,
  { name, limits }: {
    readonly name: "blocks" | "connections";
    readonly limits: AdapterLimits;
  },
): WeightFormat {
  const { hidden, inputSize, outputSize } = common;
  // Both slots end with four rows that stay 0, for blocks that hold nothing: of
  // all others, which may be infinite, 0 times them were NaN.
  const layout = {
    ...common,
    slot: hidden + roundUp(inputSize + 1, 4) + 4,
    units: hidden + roundUp(outputSize, 4) + 4,
  };
  const shape = makeBlockShape(layout, name === "blocks" ? 4 : 1);
  const { side, ahead, chunk } = shape;
  return {
    name,
    layout,
    places: listsText,
    constants: {
      BLOCK: side,
      AHEAD: ahead,
      COLUMN_BLOCKS: shape.hiddenBlocks,
      INPUT_BLOCKS: shape.inputBlocks,
      OUTPUT_BLOCKS: shape.outputBlocks,
    },
    forward: stepProduct(layout, {
      shape,
      limits,
      rows: layout.slot,
      backward: 0,
    }),
    backward: stepProduct(layout, {
      shape,
      limits,
      rows: layout.units,
      backward: 1,
    }),
    gradient: {
      text: gradientText,
      constants: { LANES: 32, CHUNK: chunk, CHUNKS_ALONG },
      groups(topologies) {
        const most = Math.max(...topologies.map(({ chunks }) => chunks));
        return [
          Math.min(most, CHUNKS_ALONG),
          Math.ceil(most / CHUNKS_ALONG),
        ];
      },
    },
    words({ connections, blocks }) {
      const recurrent = name === "blocks" ? blocks : connections;
      const places = countAllBlocks(shape, recurrent) * side ** 2;
      return {
        places,
        parameters: places,
        lists: listWords(shape, recurrent),
      };
    },
    topology: (connections: Connections, ports?: Ports) =>
      makeTopology(connections, { shape, ports }),
  };
}

/**
 * All steps in a workgroup where 32 trials' rows, or fewer down to 8, fit its memory
 * and an invocation can take a pair of rows; single connections are for networks that
 * do not fit, and take a dispatch a step.
 */
function stepProduct(
  { vectors }: Layout,
  { shape, limits, rows, backward }: {
    readonly shape: BlockShape;
    readonly limits: AdapterLimits;
    readonly rows: number;
    readonly backward: 0 | 1;
  },
): StepProduct {
  const { side } = shape;
  const pairs = Math.ceil(shape.hiddenBlocks / 2);
  const memory = limits.maxComputeWorkgroupStorageSize!;
  const mostLanes = Math.min(512, limits.maxComputeInvocationsPerWorkgroup!);
  let trialLanes = 1;
  const wanted = Math.min(8, vectors);
  while (trialLanes < wanted) trialLanes *= 2;
  const fits = () =>
    rows * trialLanes * 16 <= memory && pairs * trialLanes <= mostLanes;
  while (trialLanes > 2 && !fits()) trialLanes /= 2;
  const allSteps = side > 1 && fits();
  let lanes = pairs * trialLanes;
  if (!allSteps) {
    trialLanes = 1;
    while (trialLanes < Math.min(32, vectors)) trialLanes *= 2;
    lanes = 64;
    while (pairs * trialLanes > MOST_GROUPS * lanes) lanes *= 2;
  }
  return {
    text: productText,
    constants: {
      LANES: lanes,
      TRIAL_LANES: trialLanes,
      TILED: allSteps ? 1 : 0,
      TILE_ROWS: allSteps ? rows : side,
      BACKWARD: backward,
    },
    groups: () => [Math.ceil(pairs * trialLanes / lanes)],
    allSteps,
    vectors: trialLanes,
  };
}
