/// <reference lib="dom" />
/** @jsxRuntime automatic */
/** @jsxImportSource npm:preact@11.2.0 */
/**
 * The form: what to train. Fields follow the schema of configs.
 *
 * @module
 */

import type { ComponentChildren } from "npm:preact@11.2.0";
import { useRef } from "npm:preact@11.2.0/hooks";
import { NULL_MODELS } from "../connectome/nulls/null_model.ts";
import { textOf } from "../experiment/config.ts";
import {
  CONFIG_SCHEMA,
  type KeySchema,
  LEARNING_RATE,
  TRIAL_SCHEMA,
} from "../experiment/schema.ts";
import { NONLINEARITIES } from "../rnn/nonlinearities.ts";
import { OPTIMIZERS } from "../rnn/optimizers.ts";
import { TASKS } from "../tasks/registry.ts";
import {
  BIOLOGICAL,
  defaultSettings,
  parametersOf,
  type Settings,
} from "./settings.ts";

/** A connectome that can be trained. */
export interface KnownConnectome {
  readonly name: string;
  readonly regions: number;
}

interface FormProps {
  readonly connectomes: readonly KnownConnectome[];
  /** Takes connectomes and configs. */
  readonly addFiles: (files: Iterable<File>) => void;
  readonly settings: Settings;
  readonly change: (settings: Settings) => void;
}

/** Keys that stand in the form's main part; the others follow below. */
const MAIN = [
  "net_name",
  "rnn_size",
  "nr_neurons",
  "epochs",
  "iterations",
  "seed",
];

/** Null models that are seen at once. */
const FIRST_ARMS: readonly string[] = ["permute", "degrees", "regions"];

/** What a key is called in the form; such a label needs no hint. */
const LABELS: Readonly<Record<string, string>> = {
  nr_neurons: "Neurons in each region",
  epochs: "Epochs",
  iterations: "Runs of each combination",
  seed: "Seed",
  nr_of_trials: "Trials",
  train_size: "Share of trials that train",
  lr: "Learning rates",
  nonlinearity: "Nonlinearities",
  optimizer: "Optimizers",
};

/** The settings with another connectome; those that ask for it already keep the rest. */
export function choose(
  settings: Settings,
  { name, regions }: KnownConnectome,
): Settings {
  const { values } = settings;
  const neurons = values.net_name === name
    ? values.nr_neurons!
    : regions > MOST_REGIONS
    ? "1"
    : "2";
  return {
    ...settings,
    values: {
      ...values,
      net_name: name,
      rnn_size: String(regions),
      nr_neurons: neurons,
    },
  };
}

/** A connectome of more is one of neurons, or large enough. */
const MOST_REGIONS = 120;

export function Form(
  { settings, change, connectomes, addFiles }: FormProps,
) {
  const files = useRef<HTMLInputElement>(null);
  const { arms, values } = settings;
  const set = (key: string) => (value: string) =>
    change({ ...settings, values: { ...values, [key]: value } });
  const field = (key: string, schema: object) => (
    <Field
      key={key}
      name={key}
      value={values[key]!}
      schema={schema}
      set={set(key)}
    />
  );
  const chooseTask = (task: string) => {
    const { values: start } = defaultSettings(task);
    const parameters = parametersOf(task).map(([name]) => name);
    change({
      ...settings,
      values: {
        ...Object.fromEntries(
          Object.entries(values).filter(([key]) =>
            key in start || parameters.includes(key)
          ),
        ),
        ...Object.fromEntries(parameters.map((name) => [name, start[name]!])),
        task_name: task,
      },
    });
  };
  const toggle = (arm: string) => (on: boolean) =>
    change({
      ...settings,
      arms: [BIOLOGICAL, ...Object.keys(NULL_MODELS)].filter((each) =>
        each === arm ? on : arms.includes(each)
      ),
    });
  const arm = (name: string) => (
    <Check
      key={name}
      id={`arm-${name}`}
      label={name.replaceAll("_", " ")}
      hint={`keeps ${NULL_MODELS[name as keyof typeof NULL_MODELS].keeps}`}
      on={arms.includes(name)}
      set={toggle(name)}
    />
  );
  const parameters = parametersOf(values.task_name!);
  const details = parameters.filter(([, , inGrid]) => !inGrid);
  const more = (["net", "trainvalidate", "run"] as const).flatMap((section) =>
    Object.entries<KeySchema>(CONFIG_SCHEMA[section]).filter(([key]) =>
      !MAIN.includes(key) && key in values
    )
  );
  return (
    <form class="form" onSubmit={(event) => event.preventDefault()}>
      <fieldset class="card">
        <legend>Connectome</legend>
        <p class="field">
          <label for="net_name">Brain</label>
          <Select
            id="net_name"
            value={values.net_name!}
            set={(name) => {
              const found = connectomes.find((each) => each.name === name);
              if (found !== undefined) change(choose(settings, found));
            }}
            of={[
              ...(connectomes.some(({ name }) => name === values.net_name)
                ? []
                : [
                  [
                    values.net_name!,
                    `${values.net_name}: its file is missing`,
                  ] as const,
                ]),
              ...connectomes.map(({ name, regions }) =>
                [name, `${name.replaceAll("_", " ")} (${regions})`] as const
              ),
            ]}
          />
        </p>
        <div class="field">
          <input
            ref={files}
            class="hidden"
            type="file"
            id="files"
            multiple
            tabIndex={-1}
            aria-label="Connectomes and configs"
            onChange={(event) => {
              addFiles(event.currentTarget.files ?? []);
              event.currentTarget.value = "";
            }}
          />
          <button type="button" onClick={() => files.current?.click()}>
            Add a file …
          </button>
          <small>
            A connectome (.csv, .npy, .npz, a list of connections) or a
            config.ini; or drop it anywhere here.
          </small>
        </div>
        {field("nr_neurons", CONFIG_SCHEMA.net.nr_neurons)}
      </fieldset>
      <fieldset class="card">
        <legend>Task</legend>
        <p class="field">
          <label for="task_name">What is learnt</label>
          <Select
            id="task_name"
            value={values.task_name!}
            set={chooseTask}
            of={[...TASKS.keys()].map((name) => [name, name])}
          />
          <small>
            {plain(TASKS.get(values.task_name!)?.description ?? "")}
          </small>
        </p>
        {field("nr_of_trials", TRIAL_SCHEMA.nr_of_trials)}
        <More title="Details of the task" of={details}>
          {([name, schema]) => field(name, schema)}
        </More>
      </fieldset>
      <fieldset class="card">
        <legend>Arms</legend>
        <Check
          id="arm-none"
          label="biological"
          hint="as the connectome has it"
          on={arms.includes(BIOLOGICAL)}
          set={toggle(BIOLOGICAL)}
        />
        {FIRST_ARMS.map(arm)}
        <More
          title="More null models"
          of={Object.keys(NULL_MODELS).filter((name) =>
            !FIRST_ARMS.includes(name)
          )}
          open={arms.some((name) =>
            name !== BIOLOGICAL && !FIRST_ARMS.includes(name)
          )}
        >
          {arm}
        </More>
      </fieldset>
      <fieldset class="card">
        <legend>Grid</legend>
        <p class="muted">
          Commas between values; every combination is trained.
        </p>
        <Field
          name="lr"
          value={values.lr!}
          schema={LEARNING_RATE}
          set={set("lr")}
          list
        />
        <Choices
          name="nonlinearity"
          all={[...NONLINEARITIES.keys()]}
          value={values.nonlinearity!}
          set={set("nonlinearity")}
        />
        <Choices
          name="optimizer"
          all={[...OPTIMIZERS.keys()]}
          value={values.optimizer!}
          set={set("optimizer")}
        />
        {parameters.filter(([, , inGrid]) => inGrid).map(([name, schema]) => (
          <Field
            key={name}
            name={name}
            value={values[name]!}
            schema={schema}
            set={set(name)}
            list
          />
        ))}
      </fieldset>
      <fieldset class="card">
        <legend>Training</legend>
        <div class="three">
          {field("epochs", CONFIG_SCHEMA.trainvalidate.epochs)}
          {field("iterations", CONFIG_SCHEMA.trainvalidate.iterations)}
          {field("seed", CONFIG_SCHEMA.run.seed)}
        </div>
        <details>
          <summary>All other settings</summary>
          {field("train_size", TRIAL_SCHEMA.train_size)}
          {more.map(([key, schema]) => field(key, schema))}
          <p class="field">
            <label for="device">Device</label>
            <Select
              id="device"
              value={settings.device}
              set={(device) =>
                change({ ...settings, device: device as Settings["device"] })}
              of={[
                ["auto", "what suits this machine"],
                ["gpu", "GPU (WebGPU)"],
                ["cpu", "CPU (WebAssembly)"],
              ]}
            />
          </p>
        </details>
      </fieldset>
    </form>
  );
}

/** One of some values, each with what it is called. */
export function Select(
  { id, value, set, of, hint }: {
    readonly id?: string;
    readonly value: string;
    readonly set: (value: string) => void;
    readonly of: readonly (readonly [value: string, name: string])[];
    /** Id of what describes it. */
    readonly hint?: string | undefined;
  },
) {
  return (
    <select
      id={id}
      value={value}
      aria-describedby={hint}
      onChange={(event) => set(event.currentTarget.value)}
    >
      {of.map(([value, name]) => (
        <option value={value} key={value}>{name}</option>
      ))}
    </select>
  );
}

/** Without the links and marks of the manual. */
export function plain(text: string): string {
  return text.replace(": [below](", "[](").replaceAll(
    /\[([^\]]*)\]\([^)]*\)/g,
    "$1",
  ).replaceAll("`", "")
    .replaceAll("_", " ");
}

/** What not everybody needs; nothing where there is nothing. */
function More<T>(
  { title, of, open = false, children }: {
    readonly title: string;
    readonly of: readonly T[];
    readonly open?: boolean;
    readonly children: (each: T) => ComponentChildren;
  },
) {
  return of.length === 0 ? null : (
    <details open={open}>
      <summary>{title}</summary>
      {of.map(children)}
    </details>
  );
}

function Field(
  { name, value, schema, set, list = false }: {
    readonly name: string;
    readonly value: string;
    readonly schema: object;
    readonly set: (value: string) => void;
    readonly list?: boolean;
  },
) {
  const { kind, choices, description = "" } = schema as {
    kind: string;
    choices?: readonly string[];
    description?: string;
  };
  const label = LABELS[name] ?? name.replaceAll("_", " ");
  const hint = name in LABELS ? "" : plain(description);
  const described = hint === "" ? undefined : `${name}-hint`;
  if (kind === "boolean" && !list) {
    return (
      <Check
        id={name}
        label={label}
        hint={hint}
        on={value === "True"}
        set={(on) => set(textOf(on)!)}
      />
    );
  }
  return (
    <p class="field">
      <label for={name}>{label}</label>
      {choices === undefined
        ? (
          <input
            id={name}
            type="text"
            inputMode={list ? "text" : "decimal"}
            autoComplete="off"
            spellcheck={false}
            value={value}
            aria-describedby={described}
            onInput={(event) => set(event.currentTarget.value)}
          />
        )
        : (
          <Select
            id={name}
            value={value}
            hint={described}
            set={set}
            of={choices.map((choice) => [choice, choice.replaceAll("_", " ")])}
          />
        )}
      {hint !== "" && <small id={described}>{hint}</small>}
    </p>
  );
}

function Check(
  { id, label, hint, on, set }: {
    readonly id: string;
    readonly label: string;
    readonly hint: string;
    readonly on: boolean;
    readonly set: (on: boolean) => void;
  },
) {
  return (
    <p class="check">
      <input
        id={id}
        type="checkbox"
        checked={on}
        aria-describedby={`${id}-hint`}
        onChange={(event) => set(event.currentTarget.checked)}
      />
      <label for={id}>{label}</label>
      <small id={`${id}-hint`}>{hint}</small>
    </p>
  );
}

/** Some of a few words. */
function Choices(
  { name, all, value, set }: {
    readonly name: string;
    readonly all: readonly string[];
    readonly value: string;
    readonly set: (value: string) => void;
  },
) {
  const chosen = value.split(",").map((word) => word.trim());
  return (
    <div class="field" role="group" aria-labelledby={`${name}-label`}>
      <span class="label" id={`${name}-label`}>{LABELS[name]}</span>
      <div class="choices">
        {all.map((word) => (
          <label class="chip" key={word}>
            <input
              type="checkbox"
              checked={chosen.includes(word)}
              onChange={(event) =>
                set(
                  all.filter((each) =>
                    each === word
                      ? event.currentTarget.checked
                      : chosen.includes(each)
                  ).join(),
                )}
            />
            {word}
          </label>
        ))}
      </div>
    </div>
  );
}
