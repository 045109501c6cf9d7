/**
 * The reference cases that come with biornn.
 *
 * @module
 */

import { type GoldenCase, readGoldenCase } from "./golden_case.ts";
import batch_1_tanh_adam from "./cases/train_batch_1_tanh_adam.json" with {
  type: "json",
};
import diverging_relu_adam from "./cases/train_diverging_relu_adam.json" with {
  type: "json",
};
import diverging_relu_rmsprop from "./cases/train_diverging_relu_rmsprop.json" with {
  type: "json",
};
import diverging_relu_sgd from "./cases/train_diverging_relu_sgd.json" with {
  type: "json",
};
import diverging_tanh_sgd from "./cases/train_diverging_tanh_sgd.json" with {
  type: "json",
};
import he_relu_sgd from "./cases/train_he_relu_sgd.json" with { type: "json" };
import huge_inputs_relu_sgd from "./cases/train_huge_inputs_relu_sgd.json" with {
  type: "json",
};
import huge_inputs_tanh_adam from "./cases/train_huge_inputs_tanh_adam.json" with {
  type: "json",
};
import last_batch_1_relu_rmsprop from "./cases/train_last_batch_1_relu_rmsprop.json" with {
  type: "json",
};
import nback_mem_relu_adam from "./cases/train_nback_mem_relu_adam.json" with {
  type: "json",
};
import nback_mem_relu_rmsprop from "./cases/train_nback_mem_relu_rmsprop.json" with {
  type: "json",
};
import nback_mem_relu_sgd from "./cases/train_nback_mem_relu_sgd.json" with {
  type: "json",
};
import nback_mem_tanh_adam from "./cases/train_nback_mem_tanh_adam.json" with {
  type: "json",
};
import nback_mem_tanh_rmsprop from "./cases/train_nback_mem_tanh_rmsprop.json" with {
  type: "json",
};
import nback_mem_tanh_rmsprop_long from "./cases/train_nback_mem_tanh_rmsprop_long.json" with {
  type: "json",
};
import nback_mem_tanh_sgd from "./cases/train_nback_mem_tanh_sgd.json" with {
  type: "json",
};
import no_connections_relu_adam from "./cases/train_no_connections_relu_adam.json" with {
  type: "json",
};
import one_step_relu_adam from "./cases/train_one_step_relu_adam.json" with {
  type: "json",
};
import pixels_tanh_sgd from "./cases/train_pixels_tanh_sgd.json" with {
  type: "json",
};
import saturated_tanh_adam from "./cases/train_saturated_tanh_adam.json" with {
  type: "json",
};
import saturated_tanh_rmsprop from "./cases/train_saturated_tanh_rmsprop.json" with {
  type: "json",
};
import seq_mem_relu_adam from "./cases/train_seq_mem_relu_adam.json" with {
  type: "json",
};
import seq_mem_relu_adam_long from "./cases/train_seq_mem_relu_adam_long.json" with {
  type: "json",
};
import seq_mem_relu_rmsprop from "./cases/train_seq_mem_relu_rmsprop.json" with {
  type: "json",
};
import seq_mem_relu_sgd from "./cases/train_seq_mem_relu_sgd.json" with {
  type: "json",
};
import seq_mem_tanh_adam from "./cases/train_seq_mem_tanh_adam.json" with {
  type: "json",
};
import seq_mem_tanh_adam_freeze from "./cases/train_seq_mem_tanh_adam_freeze.json" with {
  type: "json",
};
import seq_mem_tanh_rmsprop from "./cases/train_seq_mem_tanh_rmsprop.json" with {
  type: "json",
};
import seq_mem_tanh_sgd from "./cases/train_seq_mem_tanh_sgd.json" with {
  type: "json",
};
import shortest_nback_tanh_rmsprop from "./cases/train_shortest_nback_tanh_rmsprop.json" with {
  type: "json",
};
import xavier_tanh_adam from "./cases/train_xavier_tanh_adam.json" with {
  type: "json",
};

const OWN: readonly unknown[] = [
  batch_1_tanh_adam,
  diverging_relu_adam,
  diverging_relu_rmsprop,
  diverging_relu_sgd,
  diverging_tanh_sgd,
  he_relu_sgd,
  huge_inputs_relu_sgd,
  huge_inputs_tanh_adam,
  last_batch_1_relu_rmsprop,
  nback_mem_relu_adam,
  nback_mem_relu_rmsprop,
  nback_mem_relu_sgd,
  nback_mem_tanh_adam,
  nback_mem_tanh_rmsprop,
  nback_mem_tanh_rmsprop_long,
  nback_mem_tanh_sgd,
  no_connections_relu_adam,
  one_step_relu_adam,
  pixels_tanh_sgd,
  saturated_tanh_adam,
  saturated_tanh_rmsprop,
  seq_mem_relu_adam,
  seq_mem_relu_adam_long,
  seq_mem_relu_rmsprop,
  seq_mem_relu_sgd,
  seq_mem_tanh_adam,
  seq_mem_tanh_adam_freeze,
  seq_mem_tanh_rmsprop,
  seq_mem_tanh_sgd,
  shortest_nback_tanh_rmsprop,
  xavier_tanh_adam,
];

/** The cases that come with biornn: ordinary trainings, then those at the edges. */
export function ownCases(): GoldenCase[] {
  return OWN.map((value) => readGoldenCase(value, { file: "own case" })!);
}
