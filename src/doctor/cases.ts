// deno-fmt-ignore-file: a line a case
/**
 * The reference cases that come with biornn, as they stand in their files: by
 * static imports, so that a published or a bundled biornn has them too.
 *
 * @module
 */

export { default as batch_1_tanh_adam } from "./cases/train_batch_1_tanh_adam.json" with { type: "json" };
export { default as diverging_relu_adam } from "./cases/train_diverging_relu_adam.json" with { type: "json" };
export { default as diverging_relu_rmsprop } from "./cases/train_diverging_relu_rmsprop.json" with { type: "json" };
export { default as diverging_relu_sgd } from "./cases/train_diverging_relu_sgd.json" with { type: "json" };
export { default as diverging_tanh_sgd } from "./cases/train_diverging_tanh_sgd.json" with { type: "json" };
export { default as he_relu_sgd } from "./cases/train_he_relu_sgd.json" with { type: "json" };
export { default as huge_inputs_relu_sgd } from "./cases/train_huge_inputs_relu_sgd.json" with { type: "json" };
export { default as huge_inputs_tanh_adam } from "./cases/train_huge_inputs_tanh_adam.json" with { type: "json" };
export { default as last_batch_1_relu_rmsprop } from "./cases/train_last_batch_1_relu_rmsprop.json" with { type: "json" };
export { default as nback_mem_relu_adam } from "./cases/train_nback_mem_relu_adam.json" with { type: "json" };
export { default as nback_mem_relu_rmsprop } from "./cases/train_nback_mem_relu_rmsprop.json" with { type: "json" };
export { default as nback_mem_relu_sgd } from "./cases/train_nback_mem_relu_sgd.json" with { type: "json" };
export { default as nback_mem_tanh_adam } from "./cases/train_nback_mem_tanh_adam.json" with { type: "json" };
export { default as nback_mem_tanh_rmsprop } from "./cases/train_nback_mem_tanh_rmsprop.json" with { type: "json" };
export { default as nback_mem_tanh_rmsprop_long } from "./cases/train_nback_mem_tanh_rmsprop_long.json" with { type: "json" };
export { default as nback_mem_tanh_sgd } from "./cases/train_nback_mem_tanh_sgd.json" with { type: "json" };
export { default as no_connections_relu_adam } from "./cases/train_no_connections_relu_adam.json" with { type: "json" };
export { default as one_step_relu_adam } from "./cases/train_one_step_relu_adam.json" with { type: "json" };
export { default as pixels_tanh_sgd } from "./cases/train_pixels_tanh_sgd.json" with { type: "json" };
export { default as saturated_tanh_adam } from "./cases/train_saturated_tanh_adam.json" with { type: "json" };
export { default as saturated_tanh_rmsprop } from "./cases/train_saturated_tanh_rmsprop.json" with { type: "json" };
export { default as seq_mem_relu_adam } from "./cases/train_seq_mem_relu_adam.json" with { type: "json" };
export { default as seq_mem_relu_adam_long } from "./cases/train_seq_mem_relu_adam_long.json" with { type: "json" };
export { default as seq_mem_relu_rmsprop } from "./cases/train_seq_mem_relu_rmsprop.json" with { type: "json" };
export { default as seq_mem_relu_sgd } from "./cases/train_seq_mem_relu_sgd.json" with { type: "json" };
export { default as seq_mem_tanh_adam } from "./cases/train_seq_mem_tanh_adam.json" with { type: "json" };
export { default as seq_mem_tanh_adam_freeze } from "./cases/train_seq_mem_tanh_adam_freeze.json" with { type: "json" };
export { default as seq_mem_tanh_rmsprop } from "./cases/train_seq_mem_tanh_rmsprop.json" with { type: "json" };
export { default as seq_mem_tanh_sgd } from "./cases/train_seq_mem_tanh_sgd.json" with { type: "json" };
export { default as shortest_nback_tanh_rmsprop } from "./cases/train_shortest_nback_tanh_rmsprop.json" with { type: "json" };
export { default as xavier_tanh_adam } from "./cases/train_xavier_tanh_adam.json" with { type: "json" };
