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
import { TASKS } from "../tasks/registry.ts";
import {
  BIOLOGICAL,
  type Field,
  fieldsOf,
  type KnownConnectome,
  labelOf,
  type Settings,
  withConnectome,
  withTask,
} from "./settings.ts";

/** Keys that have a place of their own; the others follow by their sections. */
const PLACED = [
  "net_name",
  "rnn_size",
  "nr_neurons",
  "nr_of_trials",
  "train_size",
  "epochs",
  "iterations",
  "seed",
];

/** Arms, the biological network among them; the first few are seen at once. */
const ARMS = Object.entries({
  [BIOLOGICAL]: { keeps: "" },
  ...NULL_MODELS,
}).map(([name, { keeps }]) => ({
  name,
  isFirst: [BIOLOGICAL, "permute", "degrees", "regions"].includes(name),
  hint: name === BIOLOGICAL ? "as the connectome has it" : `keeps ${keeps}`,
}));

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

const DEVICES = [
  ["auto", "what suits this machine"],
  ["gpu", "GPU (WebGPU)"],
  ["cpu", "CPU (WebAssembly)"],
] as const;

export function Form({ settings, change, connectomes, addFiles }: {
  readonly settings: Settings;
  readonly change: (settings: Settings) => void;
  readonly connectomes: readonly KnownConnectome[];
  /** Takes connectomes and configs. */
  readonly addFiles: (files: Iterable<File>) => void;
}) {
  const files = useRef<HTMLInputElement>(null);
  const { arms, device, values } = settings;
  const task = values.task_name!;
  const fields = fieldsOf(task);
  const field = (each: Field) => (
    <FieldOf
      key={each.key}
      field={each}
      value={values[each.key]!}
      set={(value) =>
        change({ ...settings, values: { ...values, [each.key]: value } })}
    />
  );
  const placed = (...keys: string[]) =>
    keys.map((key) => field(fields.find((each) => each.key === key)!));
  const others = (...sections: Field["section"][]) =>
    fields.filter(({ key, section }) =>
      sections.includes(section) && !PLACED.includes(key)
    ).map(field);
  const arm = ({ name, hint }: typeof ARMS[number]) => (
    <Check
      key={name}
      id={`arm-${name}`}
      label={labelOf(name)}
      hint={hint}
      on={arms.includes(name)}
      set={(on) =>
        change({
          ...settings,
          arms: ARMS.map(({ name }) => name).filter((each) =>
            each === name ? on : arms.includes(each)
          ),
        })}
    />
  );
  const moreArms = ARMS.filter(({ isFirst }) => !isFirst);
  const known = connectomes.find(({ name }) => name === values.net_name);
  return (
    <form class="form" onSubmit={(event) => event.preventDefault()}>
      <fieldset class="card">
        <legend>Connectome</legend>
        <p class="field">
          <label for="net_name">Brain</label>
          <Select
            id="net_name"
            value={values.net_name!}
            set={(name) =>
              change(withConnectome(
                settings,
                connectomes.find((each) => each.name === name)!,
              ))}
            of={[
              ...(known ? [] : [
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
        {placed("nr_neurons")}
      </fieldset>
      <fieldset class="card">
        <legend>Task</legend>
        <p class="field">
          <label for="task_name">What is learnt</label>
          <Select
            id="task_name"
            value={task}
            set={(name) => change(withTask(settings, name))}
            of={[...TASKS.keys()].map((name) => [name, name])}
          />
          <small>{plain(TASKS.get(task)?.description ?? "")}</small>
        </p>
        {placed("nr_of_trials")}
        <More title="Details of the task">{others("trialparams")}</More>
      </fieldset>
      <fieldset class="card">
        <legend>Arms</legend>
        {ARMS.filter(({ isFirst }) => isFirst).map(arm)}
        <More
          title="More null models"
          open={moreArms.some(({ name }) => arms.includes(name))}
        >
          {moreArms.map(arm)}
        </More>
      </fieldset>
      <fieldset class="card">
        <legend>Grid</legend>
        <p class="muted">
          Commas between values; every combination is trained.
        </p>
        {others("combosparams")}
      </fieldset>
      <fieldset class="card">
        <legend>Training</legend>
        <div class="three">{placed("epochs", "iterations", "seed")}</div>
        <More title="All other settings">
          {placed("train_size")}
          {others("net", "trainvalidate", "run")}
          <p class="field">
            <label for="device">Device</label>
            <Select
              id="device"
              value={device}
              set={(device) => change({ ...settings, device })}
              of={DEVICES}
            />
          </p>
        </More>
      </fieldset>
    </form>
  );
}

/** One of some values, each with what it is called. */
export function Select<T extends string>({ id, value, set, of, hint }: {
  readonly id?: string;
  readonly value: T;
  readonly set: (value: T) => void;
  readonly of: readonly (readonly [value: T, name: string])[];
  /** Id of what describes it. */
  readonly hint?: string | undefined;
}) {
  return (
    <select
      id={id}
      value={value}
      aria-describedby={hint}
      onChange={(event) => set(event.currentTarget.value as T)}
    >
      {of.map(([value, name]) => (
        <option value={value} key={value}>{name}</option>
      ))}
    </select>
  );
}

/** Without the links and marks of the manual. */
export function plain(text: string): string {
  return text.replace(": [below](", "[](")
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replaceAll("`", "").replaceAll("_", " ");
}

/** What not everybody needs; nothing where there is nothing. */
function More({ title, open = false, children }: {
  readonly title: string;
  readonly open?: boolean;
  readonly children: ComponentChildren;
}) {
  return Array.isArray(children) && children.length === 0
    ? null
    : (
      <details open={open}>
        <summary>{title}</summary>
        {children}
      </details>
    );
}

function FieldOf({ field: { key, section, schema }, value, set }: {
  readonly field: Field;
  readonly value: string;
  readonly set: (value: string) => void;
}) {
  const label = LABELS[key] ?? key.replaceAll("_", " ");
  const hint = key in LABELS || schema.kind === "words"
    ? ""
    : plain(schema.description);
  const described = hint === "" ? undefined : `${key}-hint`;
  const isList = section === "combosparams";
  if (schema.kind === "words") {
    const chosen = value.split(",").map((word) => word.trim());
    return (
      <div class="field" role="group" aria-labelledby={`${key}-label`}>
        <span class="label" id={`${key}-label`}>{label}</span>
        <div class="choices">
          {schema.choices.map((word) => (
            <label class="chip" key={word}>
              <input
                type="checkbox"
                checked={chosen.includes(word)}
                onChange={({ currentTarget: { checked } }) =>
                  set(
                    schema.choices.filter((each) =>
                      each === word ? checked : chosen.includes(each)
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
  if (schema.kind === "boolean" && !isList) {
    return (
      <Check
        id={key}
        label={label}
        hint={hint}
        on={value === "True"}
        set={(on) => set(textOf(on)!)}
      />
    );
  }
  return (
    <p class="field">
      <label for={key}>{label}</label>
      {schema.kind === "choice"
        ? (
          <Select
            id={key}
            value={value}
            hint={described}
            set={set}
            of={schema.choices.map((each) => [each, each.replaceAll("_", " ")])}
          />
        )
        : (
          <input
            id={key}
            type="text"
            inputMode={isList ? "text" : "decimal"}
            autoComplete="off"
            spellcheck={false}
            value={value}
            aria-describedby={described}
            onInput={(event) => set(event.currentTarget.value)}
          />
        )}
      {hint !== "" && <small id={described}>{hint}</small>}
    </p>
  );
}

function Check({ id, label, hint, on, set }: {
  readonly id: string;
  readonly label: string;
  readonly hint: string;
  readonly on: boolean;
  readonly set: (on: boolean) => void;
}) {
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
