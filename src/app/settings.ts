/**
 * What the page's form says: as a link holds it, and as the config that it
 * means.
 *
 * @module
 */

import { textOf } from "../experiment/config.ts";
import { type IniFile, iniValue, readIni } from "../experiment/configparser.ts";
import type { Experiment } from "../experiment/experiment.ts";
import { readArms } from "../experiment/read.ts";
import {
  CONFIG_SCHEMA,
  type KeySchema,
  LEARNING_RATE,
  TRIAL_SCHEMA,
} from "../experiment/schema.ts";
import { InputError } from "../files/input_error.ts";
import { parsePythonLiteral, type PythonValue } from "../python/literal.ts";
import { reprPython, reprString } from "../python/repr.ts";
import { NONLINEARITIES } from "../rnn/nonlinearities.ts";
import { OPTIMIZERS } from "../rnn/optimizers.ts";
import { TASKS } from "../tasks/registry.ts";
import type { ParameterSchema } from "../tasks/task.ts";

/**
 * All that a link holds. `arms`: the null models that are compared, "none" for the
 * biological network, with commas between; `device`: one of {@linkcode DEVICES};
 * and `task_name` and what each field says, as a config has it, lists without brackets
 * and quotes.
 */
export type Settings = Readonly<Record<string, string>>;

/** What can train, and what that is called. */
export const DEVICES: ReadonlyMap<string, string> = new Map([
  ["auto", "what suits this machine"],
  ["gpu", "GPU (WebGPU)"],
  ["cpu", "CPU (WebAssembly)"],
]);

/** Of the biological network, in `arms`. */
export const BIOLOGICAL = "none";

/** The arms that are compared. */
export function armsOf({ arms }: Settings): string[] {
  return arms!.split(",").filter((arm) => arm !== "");
}

/** What an arm is called. */
export function labelOf(arm: string): string {
  return arm === BIOLOGICAL ? "biological" : arm.replaceAll("_", " ");
}

/** A key of a config that can be filled in. */
export interface Field {
  readonly key: string;
  /** Where it stands: a section, or the section of its dict. */
  readonly section: keyof typeof CONFIG_SCHEMA;
  readonly schema: KeySchema | ParameterSchema | {
    /** Some of a few. */
    readonly kind: "words";
    readonly choices: readonly string[];
    readonly description: string;
  };
}

const SECTIONS = ["net", "trainvalidate", "run"] as const;

/** Keys that the page decides itself; of models it keeps the last. */
const OWN = ["random_w", "null_model", "store_every_epoch"];

/** The fields of a task; without one those that all tasks have. */
export function fieldsOf(task = ""): Field[] {
  const { trialParameters, gridParameters } = TASKS.get(task) ?? {};
  const of = (
    section: Field["section"],
    schemas: Readonly<Record<string, Field["schema"]>>,
  ) =>
    Object.entries(schemas).map(([key, schema]) => ({ key, section, schema }));
  const words = (all: ReadonlyMap<string, unknown>) =>
    ({ kind: "words", choices: [...all.keys()], description: "" }) as const;
  return [
    ...SECTIONS.flatMap((section) => of(section, CONFIG_SCHEMA[section])),
    ...of("trialparams", { ...TRIAL_SCHEMA, ...trialParameters }),
    ...of("combosparams", {
      lr: LEARNING_RATE,
      nonlinearity: words(NONLINEARITIES),
      optimizer: words(OPTIMIZERS),
      ...gridParameters,
    }),
  ].filter(({ key }) => !OWN.includes(key));
}

/** What differs from the schema's defaults: a training that takes a minute. */
const START: Settings = {
  arms: `${BIOLOGICAL},permute`,
  device: "auto",
  task_name: "seq_mem",
  net_name: "Synthetic_Macaque_29",
  rnn_size: "29",
  nr_neurons: "2",
  rand_partition: "True",
  match: "spectral_radius",
  epochs: "100",
  iterations: "3",
  init: "default",
  freeze_layer: "False",
  remap_w: "True",
  nr_of_trials: "500",
  train_size: "0.8",
  lr: "0.001",
  nonlinearity: "tanh",
  optimizer: "Adam",
};

/** What the form says before anybody has touched it. */
export function defaultSettings(task = START.task_name!): Settings {
  const values = fieldsOf(task).map(({ key, schema }) => {
    const { default: usual, example } = schema as Partial<ParameterSchema>;
    return [key, textOf(usual ?? example) ?? ""];
  });
  return { ...Object.fromEntries(values), ...START, task_name: task };
}

/** The settings with another task; what all tasks have stays. */
export function withTask(settings: Settings, task: string): Settings {
  const common = ["arms", "device", ...fieldsOf().map(({ key }) => key)];
  const kept = common.map((key) => [key, settings[key]!]);
  return { ...defaultSettings(task), ...Object.fromEntries(kept) };
}

/** A connectome that can be trained. */
export interface KnownConnectome {
  readonly name: string;
  readonly regions: number;
}

/** The settings with another connectome; those that ask for it already keep the rest. */
export function withConnectome(
  settings: Settings,
  { name, regions }: KnownConnectome,
): Settings {
  const same = settings.net_name === name;
  // Of many regions it is one of neurons, or large enough.
  const usual = regions > 120 ? "1" : "2";
  return {
    ...settings,
    net_name: name,
    rnn_size: `${regions}`,
    nr_neurons: same ? settings.nr_neurons! : usual,
  };
}

/** The part of a link behind `#`: what differs from the defaults. */
export function linkOf(settings: Settings): string {
  const start = { ...defaultSettings(settings.task_name), ...START };
  // The seed is what makes a link repeat a run: it always stands there.
  const stated = Object.entries(settings).filter(([key, value]) =>
    key === "seed" || value !== start[key]
  );
  return new URLSearchParams(stated).toString().replaceAll("%2C", ",");
}

/** The settings of a link; what it does not know is passed over. */
export function settingsOfLink(hash: string): Settings {
  const link = new URLSearchParams(hash.replace(/^#/, ""));
  const start = defaultSettings(link.get("task_name") ?? undefined);
  const known = [...link].filter(([key, value]) =>
    Object.hasOwn(start, key) && (key !== "device" || DEVICES.has(value))
  );
  return { ...start, ...Object.fromEntries(known) };
}

/** A value of a dict: numbers and booleans as they are, words in quotes. */
function literal(text: string): string {
  const value = text.trim();
  return /^(?:[-+.\d].*|True|False)$/.test(value) ? value : reprString(value);
}

function listOf(text: string): string {
  const items = text.split(",").filter((item) => item.trim() !== "");
  return `[${items.map(literal).join(", ")}]`;
}

/** The config that the settings mean. */
function configOf(settings: Settings): string {
  const fields = Object.groupBy(
    fieldsOf(settings.task_name),
    ({ section }) => section,
  );
  const lines = (section: Field["section"]) =>
    fields[section]!.filter(({ key }) => settings[key] !== "").map(({ key }) =>
      `${key} = ${settings[key]!.replaceAll("%", "%%")}`
    );
  const dict = (section: Field["section"], text: (value: string) => string) =>
    fields[section]!.map(({ key }) => `"${key}": ${text(settings[key]!)}`)
      .join(", ");
  const arms = armsOf(settings);
  const nullModel = arms.length === 1
    ? arms[0]
    : `[${arms.map(reprString).join(", ")}]`;
  const task = reprString(settings.task_name!);
  const trial = dict("trialparams", literal);
  return Object.entries({
    paths: ["path_to_results = results"],
    net: [
      "random_w = False",
      `null_model = ${nullModel}`,
      ...lines("net"),
    ],
    trainvalidate: lines("trainvalidate"),
    run: lines("run"),
    trialparams: [`trial_params = {"task_name": ${task}, ${trial}}`],
    combosparams: [`combos_params = {${dict("combosparams", listOf)}}`],
  }).map(([section, lines]) => `[${section}]\n${lines.join("\n")}\n`)
    .join("\n");
}

/**
 * The experiment of each arm.
 *
 * @throws {InputError} If a value is not allowed.
 */
export function experimentsOf(settings: Settings): Experiment[] {
  if (armsOf(settings).length === 0) {
    throw new InputError("Cannot train: choose an arm at least");
  }
  try {
    return readArms(configOf(settings), { file: "config.ini" });
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    // Who fills in a form has not seen the lines of that file.
    const where = /^Cannot read "config\.ini"(?:, line \d+)?: /;
    throw new InputError(error.message.replace(where, "Cannot train: "), {
      cause: error,
    });
  }
}

/**
 * The settings that a config file means.
 *
 * @throws {InputError} If it is none, or names what a page can't have.
 */
export function settingsOfConfig(text: string, file: string): Settings {
  const experiments = readArms(text, { file });
  const { source, net, paths, task: { task } } = experiments[0]!;
  const unreadable = (["pretrained", "latents", "images"] as const)
    .find((key) => paths[key] !== undefined);
  const refuse = (problem: string): never => {
    throw new InputError(
      `Cannot use "${file}": ${problem}; train it with deno task train`,
    );
  };
  if (unreadable !== undefined) {
    refuse(`its [paths] ${unreadable} names what a page can't read`);
  }
  if (experiments.some((each) => each.net.name !== net.name)) {
    refuse("it trains several connectomes");
  }
  const ini = readIni(source.effective, { file });
  const start = defaultSettings(task.name);
  const stated = new Map([
    ...dictOf(ini, "trialparams", "trial_params"),
    ...dictOf(ini, "combosparams", "combos_params"),
  ]);
  const values = fieldsOf(task.name).map(({ key, section }) => [
    key,
    stated.get(key) ?? iniValue(ini, { section, key })?.text ?? start[key]!,
  ]);
  return {
    ...start,
    ...Object.fromEntries(values),
    arms: experiments.map((each) => each.net.nullModel).join(),
  };
}

function dictOf(
  ini: IniFile,
  section: Field["section"],
  key: string,
): [string, string][] {
  const dict = parsePythonLiteral(iniValue(ini, { section, key })!.text);
  if (dict.kind !== "dict") return [];
  const text = (value: PythonValue): string => {
    if (value.kind === "string") return value.value;
    if (value.kind === "list" || value.kind === "tuple") {
      return value.items.map(text).join(",");
    }
    return reprPython(value);
  };
  return dict.entries.map(({ key, value }) => [text(key), text(value)]);
}
