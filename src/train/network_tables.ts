/**
 * Tables of what networks are and do, beside the results: what a null model kept, and
 * the spectral radius and activity of each run.
 *
 * @module
 */

import { nullReportTable, reportNull } from "../connectome/nulls/null_model.ts";
import type { Experiment } from "../experiment/experiment.ts";
import type { RunId } from "../results/layout.ts";
import type {
  NetworkState,
  NetworkStates,
} from "../results/experiment_record.ts";
import { Papa } from "../text/csv.ts";
import type { PreparedExperiment } from "./build_run.ts";

/** Samples of a null model that its report is about. */
const MOST_SAMPLES = 3;

/** Whether runs train networks that a null model made. */
export function hasNullModel(
  { experiment, pretrained }: Pick<
    PreparedExperiment,
    "experiment" | "pretrained"
  >,
): boolean {
  return experiment.net.nullModel !== "none" && pretrained === undefined;
}

/** `null_model.csv`: figures of the network before and after the null model, with the relative change. */
export function nullModelTable(
  { experiment, network, ownNetworkOf }: PreparedExperiment,
): Uint8Array {
  const { training: { iterations }, net: { nullSamples } } = experiment;
  const samples = Array.from(
    { length: Math.min(iterations, nullSamples || Infinity, MOST_SAMPLES) },
    (_, iteration) => ownNetworkOf({ combination: 0, iteration }),
  ).filter((sample) => sample !== undefined);
  const rows = reportNull(network, samples);
  return csvBytes(nullReportTable(rows, experiment.net.nullModel));
}

/** A run, and what its network did, if that was measured. */
export type MeasuredRun = readonly [id: RunId, NetworkStates | undefined];

/** `measures.csv`: a row a run, with the values of its combination. */
export function measuresTable(
  { net, grid }: Experiment,
  runs: readonly MeasuredRun[],
): Uint8Array {
  const figure = (value: number | undefined) =>
    value === undefined ? "" : String(Number(value.toPrecision(6)));
  const sampled = net.nullModel !== "none" && net.nullSamples > 0;
  return csvBytes([
    [
      "combination",
      ...grid.keys,
      "iteration",
      "null_model",
      ...(sampled ? ["null_sample"] : []),
      "spectral_radius_initial",
      "spectral_radius_trained",
      "spectral_radius_error",
      "activity_initial",
      "activity_trained",
    ],
    ...runs.map(([{ combination, iteration }, states]) => [
      String(combination),
      ...grid.combinations[combination]!.values.map(({ value }) =>
        String(value)
      ),
      String(iteration),
      net.nullModel,
      ...(sampled ? [String(iteration % net.nullSamples)] : []),
      figure(states?.initial.spectralRadius),
      figure(states?.trained.spectralRadius),
      figure(largestError([states?.initial, states?.trained])),
      figure(states?.initial.activity),
      figure(states?.trained.activity),
    ]),
  ]);
}

/** Means over the runs whose weights stayed numbers; undefined where there are none. */
export function meanStates(
  runs: readonly MeasuredRun[],
): NetworkStates | undefined {
  const known = runs.map(([, states]) => states).filter((states) =>
    states !== undefined &&
    [states.initial, states.trained].every(({ spectralRadius, activity }) =>
      Number.isFinite(spectralRadius) && Number.isFinite(activity)
    )
  ) as NetworkStates[];
  if (known.length === 0) return undefined;
  const mean = (state: keyof NetworkStates): NetworkState => {
    const of = (figure: "spectralRadius" | "activity") =>
      known.reduce((sum, states) => sum + states[state][figure], 0) /
      known.length;
    const error = largestError(known.map((states) => states[state]));
    return {
      spectralRadius: of("spectralRadius"),
      ...(error === undefined ? {} : { spectralRadiusError: error }),
      activity: of("activity"),
    };
  };
  return { initial: mean("initial"), trained: mean("trained") };
}

/** The largest relative error of spectral radii; undefined where one is not known. */
function largestError(
  states: readonly (NetworkState | undefined)[],
): number | undefined {
  const errors = states.map((state) => state?.spectralRadiusError);
  return errors.reduce((a, b) =>
    a === undefined || b === undefined ? undefined : Math.max(a, b)
  );
}

function csvBytes(rows: readonly (readonly string[])[]): Uint8Array {
  const text = Papa.unparse(rows, { newline: "\r\n" });
  return new TextEncoder().encode(`${text}\r\n`);
}
