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
import { CONFIG_SCHEMA, TRIAL_SCHEMA } from "../experiment/schema.ts";
import { InputError } from "../files/input_error.ts";
import { parsePythonLiteral, type PythonValue } from "../python/literal.ts";
import { reprPython, reprString } from "../python/repr.ts";
import { TASKS } from "../tasks/registry.ts";
import type { ParameterSchema } from "../tasks/task.ts";

/** What trains: what suits the machine, WebGPU, or WebAssembly. */
export type Device = "auto" | "gpu" | "cpu";

/** All that a link holds. */
export interface Settings {
  /** Null models that are compared, "none" for the biological network. */
  readonly arms: readonly string[];
  readonly device: Device;
  /** Every key of a config, `task_name` and those of the task's dicts among them, as a config has it; lists without brackets and quotes. */
  readonly values: Readonly<Record<string, string>>;
}

/** Of the biological network, in `arms`. */
export const BIOLOGICAL = "none";

/** What an arm is called. */
export function labelOf(arm: string): string {
  return arm === BIOLOGICAL ? "biological" : arm.replaceAll("_", " ");
}

/** Keys that the page decides itself; of models it keeps the last. */
const OWN = ["random_w", "null_model", "store_every_epoch"];
/** Keys of lists that every grid has. */
const GRID_KEYS = ["lr", "nonlinearity", "optimizer"];

/** What differs from the schema's defaults: a training that takes a minute. */
const START: Readonly<Record<string, string>> = {
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
  task_name: "seq_mem",
  nr_of_trials: "500",
  train_size: "0.8",
  lr: "0.001",
  nonlinearity: "tanh",
  optimizer: "Adam",
};

const START_ARMS = [BIOLOGICAL, "permute"];

/** The keys of a section that stand alone, with what each has by default. */
function plainKeys(section: keyof typeof CONFIG_SCHEMA): string[] {
  return Object.entries(CONFIG_SCHEMA[section]).flatMap(([key, { kind }]) =>
    kind === "dict" || kind === "path" || OWN.includes(key) ? [] : [key]
  );
}

const SECTIONS = ["net", "trainvalidate", "run"] as const;

function defaultOf(
  schema: Partial<Pick<ParameterSchema, "default" | "example">>,
): string {
  return textOf(schema.default ?? schema.example) ?? "";
}

/** Parameters of a task, those of the grid last. */
export function parametersOf(
  task: string,
): readonly (readonly [name: string, ParameterSchema, inGrid: boolean])[] {
  const { trialParameters = {}, gridParameters = {} } = TASKS.get(task) ?? {};
  return [
    ...Object.entries(trialParameters).map((e) => [...e, false] as const),
    ...Object.entries(gridParameters).map((e) => [...e, true] as const),
  ];
}

/** What the form says before anybody has touched it. */
export function defaultSettings(task = START.task_name!): Settings {
  const values: Record<string, string> = {};
  for (const section of SECTIONS) {
    for (const key of plainKeys(section)) {
      values[key] = START[key] ??
        defaultOf(Reflect.get(CONFIG_SCHEMA[section], key));
    }
  }
  for (const [name, schema] of parametersOf(task)) {
    values[name] = defaultOf(schema);
  }
  return {
    arms: START_ARMS,
    device: "auto",
    values: { ...values, ...START, task_name: task },
  };
}

/** The part of a link behind `#`: what differs from the defaults. */
export function linkOf({ arms, device, values }: Settings): string {
  const start = defaultSettings(values.task_name);
  const link = new URLSearchParams();
  if (arms.join() !== start.arms.join()) link.set("arms", arms.join());
  if (device !== start.device) link.set("device", device);
  for (const [key, value] of Object.entries(values)) {
    // The seed is what makes a link repeat a run: it always stands there.
    const always = key === "seed" ||
      (key === "task_name" && value !== START.task_name);
    if (always || value !== start.values[key]) link.set(key, value);
  }
  return link.toString().replaceAll("%2C", ",");
}

/** The settings of a link; what it does not know is passed over. */
export function settingsOfLink(hash: string): Settings {
  const link = new URLSearchParams(hash.replace(/^#/, ""));
  const start = defaultSettings(link.get("task_name") ?? undefined);
  const device = link.get("device");
  return {
    arms: link.get("arms")?.split(",").filter((arm) => arm !== "") ??
      start.arms,
    device: device === "gpu" || device === "cpu" ? device : "auto",
    values: Object.fromEntries(
      Object.entries(start.values).map(([key, value]) => [
        key,
        link.get(key) ?? value,
      ]),
    ),
  };
}

/** A value of a dict: numbers and booleans as they are, words in quotes. */
function literal(text: string): string {
  const value = text.trim();
  return /^(?:[-+.\d].*|True|False)$/.test(value) ? value : reprString(value);
}

/** The config that the settings mean. */
function configOf({ arms, values }: Settings): string {
  const task = values.task_name!;
  const parameters = parametersOf(task);
  const dict = (entries: readonly (readonly [string, string])[]) =>
    `{${entries.map(([key, value]) => `"${key}": ${value}`).join(", ")}}`;
  const trial = [
    ...Object.keys(TRIAL_SCHEMA),
    ...parameters.filter(([, , inGrid]) => !inGrid).map(([name]) => name),
  ];
  const grid = [
    ...GRID_KEYS,
    ...parameters.filter(([, , inGrid]) => inGrid).map(([name]) => name),
  ];
  const lines = ["[paths]", "path_to_results = results"];
  for (const section of SECTIONS) {
    lines.push("", `[${section}]`);
    if (section === "net") {
      lines.push("random_w = False", `null_model = ${armsText(arms)}`);
    }
    for (const key of plainKeys(section)) {
      if (values[key] === "") continue;
      lines.push(`${key} = ${values[key]!.replaceAll("%", "%%")}`);
    }
  }
  lines.push(
    "",
    "[trialparams]",
    `trial_params = ${
      dict([
        ["task_name", reprString(task)],
        ...trial.map((key) => [key, literal(values[key]!)] as const),
      ])
    }`,
    "",
    "[combosparams]",
    `combos_params = ${dict(grid.map((key) => [key, listOf(values[key]!)]))}`,
  );
  return `${lines.join("\n")}\n`;
}

function listOf(text: string): string {
  const items = text.split(",").map((item) => item.trim());
  return `[${items.filter((item) => item !== "").map(literal).join(", ")}]`;
}

/** One null model as it is, several as a list of arms. */
function armsText(arms: readonly string[]): string {
  const [arm, ...more] = arms;
  return more.length === 0
    ? arm ?? BIOLOGICAL
    : `[${arms.map(reprString).join(", ")}]`;
}

/**
 * The experiment of each arm.
 *
 * @throws {InputError} If a value is not allowed.
 */
export function experimentsOf(settings: Settings): Experiment[] {
  if (settings.arms.length === 0) {
    throw new InputError("Cannot train: choose an arm at least");
  }
  return readArms(configOf(settings), { file: "config.ini" });
}

/**
 * The settings that a config file means.
 *
 * @throws {InputError} If it is none, or names what a page can't have.
 */
export function settingsOfConfig(text: string, file: string): Settings {
  const experiments = readArms(text, { file });
  const { source, net, paths, task } = experiments[0]!;
  const refuse = (what: string) =>
    new InputError(
      `Cannot use "${file}": ${what}; train it with deno task train`,
    );
  for (const key of ["pretrained", "latents", "images"] as const) {
    if (paths[key] === undefined) continue;
    throw refuse(`its [paths] ${key} names what a page can't read`);
  }
  if (experiments.some((each) => each.net.name !== net.name)) {
    throw refuse("it trains several connectomes");
  }
  const ini = readIni(source.effective, { file });
  const start = defaultSettings(task.task.name);
  const values: Record<string, string> = { ...start.values };
  for (const section of SECTIONS) {
    for (const key of plainKeys(section)) {
      values[key] = iniValue(ini, { section, key })?.text ?? values[key]!;
    }
  }
  const trial = { section: "trialparams", key: "trial_params" };
  const combos = { section: "combosparams", key: "combos_params" };
  for (const place of [trial, combos]) {
    for (const [key, value] of dictOf(ini, place)) values[key] = value;
  }
  return {
    arms: experiments.map((each) => each.net.nullModel),
    device: "auto",
    values,
  };
}

function dictOf(
  ini: IniFile,
  place: { readonly section: string; readonly key: string },
): [string, string][] {
  const dict = parsePythonLiteral(iniValue(ini, place)!.text);
  if (dict.kind !== "dict") return [];
  const text = (value: PythonValue): string =>
    value.kind === "string"
      ? value.value
      : value.kind === "list" || value.kind === "tuple"
      ? value.items.map(text).join(",")
      : reprPython(value);
  return dict.entries.map(({ key, value }) => [text(key), text(value)]);
}
