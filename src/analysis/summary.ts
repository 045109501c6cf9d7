/**
 * A run in four numbers: its lowest validation loss, when it was reached, when
 * it was nearly reached, and the accuracy at the end; what experiments are
 * compared by; and what a network that has learned nothing would reach.
 *
 * Epochs are numbered from 0, as in the names of model files: the last of 500
 * is 499.
 *
 * @module
 */

import type { Plain } from "../results/experiment_record.ts";
import type { Curves } from "../results/data_files.ts";
import type { ResultsFolder } from "../results/results_folder.ts";

interface LossSummary {
  readonly minLoss: number;
  /** The first epoch that has it. */
  readonly minLossEpoch: number;
  /** The first epoch within 1 % of the curve's range above it; undefined where all losses are equal. */
  readonly epoch99?: number | undefined;
  /**
   * Whether the curve still falls at its end: it comes within that 1 % in the
   * last tenth of its epochs only, so that with more epochs `epoch99` would be later.
   */
  readonly stillFalling: boolean;
}

/** A run's numbers; it has no loss where it diverged. */
export interface RunSummary extends Partial<LossSummary> {
  readonly combination: number;
  readonly iteration: number;
  /** Validation accuracy of the last epoch in %; undefined where there is none. */
  readonly finalAccuracy: number | undefined;
  /** What tells its network from others; undefined where that is not known. */
  readonly network: string | undefined;
}

interface SummaryOptions {
  /** Epochs left out at the beginning, unless there are no others; default 1, as in the original's figures. */
  readonly start?: number;
  /** Epochs after which curves are cut, where experiments differ in length; default all. */
  readonly epochs?: number;
}

/** Share of the range, in %, within which a loss counts as lowest. */
const NEAR = 1;
/** Share of a curve in which it must not come so near for the first time. */
const TAIL = 0.1;

/**
 * Summarizes one loss curve.
 *
 * @param losses One value an epoch.
 * @returns undefined where a loss is NaN or infinite: the run diverged.
 */
export function summarizeLoss(
  losses: Float64Array,
  { start = 1 }: SummaryOptions = {},
): LossSummary | undefined {
  const first = losses.length > start ? start : 0;
  const kept = losses.subarray(first);
  if (kept.length === 0 || !kept.every(Number.isFinite)) return undefined;
  const min = kept.reduce((least, loss) => Math.min(least, loss));
  const max = kept.reduce((most, loss) => Math.max(most, loss));
  // In this order, so that rounding falls as in the original program; -1 where all are equal.
  const near = kept.findIndex((loss) =>
    (loss - min) / (max - min) * 100 <= NEAR
  );
  const tail = Math.max(1, Math.floor(TAIL * kept.length));
  return {
    minLoss: min,
    minLossEpoch: first + kept.indexOf(min),
    epoch99: near < 0 ? undefined : first + near,
    stillFalling: near >= kept.length - tail,
  };
}

/** One iteration's values. */
export function curveOf(curves: Curves, iteration: number): Float64Array {
  const { epochs, values } = curves;
  return values.subarray(iteration * epochs, (iteration + 1) * epochs);
}

/**
 * Summarizes every run of a results folder. A run diverged where a validation
 * loss is NaN or infinite, or where the experiment's record says so.
 *
 * @returns A summary a run, and a sentence for each combination with runs that diverged or never changed.
 */
export function summarizeResults(
  { path, experiment, combinations }: ResultsFolder,
  options: SummaryOptions = {},
): { runs: RunSummary[]; warnings: string[] } {
  const runs: RunSummary[] = [];
  const warnings: string[] = [];
  const { epochs: most = Infinity } = options;
  for (const combination of combinations) {
    const { validateLoss, validateMetrics, index, title } = combination;
    const failed = new Set(
      experiment?.failures.flatMap((failure) =>
        failure.combination === index && failure.epoch < most
          ? failure.iteration
          : []
      ),
    );
    const diverged: string[] = [];
    const constant: number[] = [];
    for (let i = 0; i < validateLoss.iterations; i++) {
      const losses = curveOf(validateLoss, i).subarray(0, most);
      const loss = failed.has(i) ? undefined : summarizeLoss(losses, options);
      if (loss === undefined) {
        const epoch = losses.findIndex((value) => !Number.isFinite(value));
        diverged.push(epoch < 0 ? `${i}` : `${i} from epoch ${epoch} on`);
      } else if (loss.epoch99 === undefined && losses.length > 2) {
        constant.push(i);
      }
      const accuracy = loss && validateMetrics &&
        curveOf(validateMetrics, i).subarray(0, most).at(-1);
      runs.push({
        combination: index,
        iteration: i,
        ...loss,
        // Means of percentages differ in the last digits where in exact arithmetic they are equal.
        finalAccuracy: Number.isFinite(accuracy)
          ? Math.round(accuracy! * 1e9) / 1e9
          : undefined,
        network: combination.networks?.[i],
      });
    }
    const name = `${path}: combination ${index} ${title}: `;
    if (diverged.length > 0) {
      warnings.push(
        `${name}${
          diverged.length === validateLoss.iterations
            ? "all iterations diverged"
            : `iteration ${diverged.join(", ")} diverged`
        } (NaN or infinite); diverged runs count as the worst in the tests`,
      );
    }
    if (constant.length > 0) {
      warnings.push(
        `${name}the validation loss of iteration ${
          constant.join(", ")
        } never changes, so that no epoch stands out`,
      );
    }
  }
  return { runs, warnings };
}

/** A number that experiments are compared by; a run may have none. */
export type Measure = "minLoss" | "epoch99" | "finalAccuracy";

/** A number of a run that is drawn. */
export type RunNumber = Measure | "minLossEpoch";

interface MeasureInfo {
  /** As it stands in the middle of a sentence. */
  readonly name: string;
  readonly unit: "" | "epochs" | "%";
  readonly better: "lower" | "higher";
}

export const MEASURES: Readonly<Record<Measure, MeasureInfo>> = {
  minLoss: {
    name: "minimum validation loss",
    unit: "",
    better: "lower",
  },
  epoch99: {
    name: "first epoch within 1 % of the minimum validation loss",
    unit: "epochs",
    better: "lower",
  },
  finalAccuracy: {
    name: "final validation accuracy",
    unit: "%",
    better: "higher",
  },
};

/** A scale that spans more than this is logarithmic. */
const LOG_RANGE = 30;

/**
 * Whether numbers are drawn and compared on a logarithmic scale: all are
 * positive, and the highest is more than {@linkcode LOG_RANGE} times the lowest.
 *
 * @param values Those that are not finite count for nothing.
 */
export function spansDecades(values: Iterable<number>): boolean {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low > 0 && high > LOG_RANGE * low;
}

/** What is drawn and compared: a loss, or accuracy in percent. */
export type Quantity = "loss" | "accuracy";

/** A reference line. */
export interface Baseline {
  /** The loss or accuracy. */
  readonly value: number;
  /** As it stands beside the line. */
  readonly label: string;
  /** A run has learned something where its lowest loss is below this. */
  readonly beaten: number;
}

interface TaskFacts {
  /** `seq_mem`, `nback_mem`, …; undefined where nothing says. */
  readonly name: string | undefined;
  /** Which loss it has; undefined where nothing says. */
  readonly loss: "mse" | "nll" | undefined;
  /** How many classes there are to tell apart, equally often; default 2. */
  readonly classes?: number;
  /** Between which the values of `seq_mem` are drawn; default 0 and 1. */
  readonly range?: readonly [low: number, high: number];
}

/**
 * By how much a network must be better than its baseline before it counts as
 * having learned: a validation set of some hundred numbers gives away 5 % of
 * a squared error, or 2 % of ln 2, by luck.
 */
const LUCK = { mse: 0.05, nll: 0.02 } as const;

/** Four digits: 8.333 rather than 8.333333333333334. */
function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}

/**
 * The baseline of a task. Sequence memory: values are uniform between `low`
 * and `high`, so always answering their mean has the mean squared error
 * (high − low)² / 12. N-back: one of two classes, equally often, so guessing
 * costs ln 2 and is right half the time; among K classes it costs ln K.
 *
 * @returns undefined where the task is not known.
 */
export function baselineOf(
  { name, loss, classes = 2, range: [low, high] = [0, 1] }: TaskFacts,
  quantity: Quantity,
): Baseline | undefined {
  if (classes < 2) return undefined;
  if (quantity === "accuracy") {
    const value = 100 / classes;
    return { value, label: `chance (${short(value)} %)`, beaten: value };
  }
  if (loss === "nll") {
    const value = Math.log(classes);
    return {
      value,
      label: `chance (ln ${classes})`,
      beaten: value * (1 - LUCK.nll),
    };
  }
  const value = (high - low) ** 2 / 12;
  if (name !== "seq_mem" || !(value > 0)) return undefined;
  return {
    value,
    label: `predicting the mean (${
      low === 0 && high === 1 ? "1/12" : short(value)
    })`,
    beaten: value * (1 - LUCK.mse),
  };
}

/**
 * What folders say of their task; what they differ in is not known.
 *
 * @param parameters Those of a combination, where the grid varies what the baseline depends on.
 */
export function taskFacts(
  folders: readonly ResultsFolder[],
  parameters: Readonly<Record<string, Plain>> = {},
): TaskFacts {
  const said = folders.flatMap(({ experiment }) => {
    if (experiment === undefined) return [];
    const { task: { name, loss, parameters: own }, size } = experiment;
    const { low = 0, high = 1 } = { ...own, ...parameters };
    // Output 0 is what is not scored.
    return [{ name, loss, low, high, classes: size.outputSize - 1 }];
  });
  const [first] = said;
  if (first === undefined) {
    // Accuracy tells of classes. Its absence tells nothing: some old results lack the file.
    const accuracy = folders.some(({ combinations }) =>
      combinations.some((one) => one.validateMetrics !== undefined)
    );
    return { name: undefined, loss: accuracy ? "nll" : undefined };
  }
  const { name, loss, low, high, classes } = first;
  const same = (key: keyof typeof first) =>
    said.every((one) => one[key] === first[key]);
  const inNumbers = typeof low === "number" && typeof high === "number";
  return {
    // Of values in different ranges, one baseline would be wrong.
    name: same("name") && same("low") && same("high") && inNumbers
      ? name
      : undefined,
    loss: same("loss") ? loss : undefined,
    ...(loss === "nll" && { classes }),
    ...(inNumbers && { range: [low, high] }),
  };
}

/** The axis title of a quantity. */
export function quantityTitle(
  { loss }: Pick<TaskFacts, "loss">,
  quantity: Quantity,
): string {
  if (quantity === "accuracy") return "accuracy (%)";
  if (loss === "mse") return "loss (MSE)";
  return loss === "nll" ? "loss (NLL)" : "loss";
}
