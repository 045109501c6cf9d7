/// <reference lib="dom" />
/** @jsxRuntime automatic */
/** @jsxImportSource npm:preact@11.2.0 */
/**
 * The form: what to train. Fields follow the schema of configs.
 *
 * @module
 */

import type { ComponentChildren, JSX } from "npm:preact@11.2.0";
import { useRef } from "npm:preact@11.2.0/hooks";
import { NULL_MODELS } from "../connectome/nulls/null_model.ts";
import { textOf } from "../experiment/config.ts";
import { TASKS } from "../tasks/registry.ts";
import {
  armsOf,
  BIOLOGICAL,
  DEVICES,
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

/** Arms that are seen at once. */
const FIRST = [BIOLOGICAL, "permute", "degrees", "regions"];

/** What each arm keeps of the connectome. */
const KEPT = new Map([
  [BIOLOGICAL, "as the connectome has it"],
  ...Object.entries(NULL_MODELS).map(([name, { keeps }]) =>
    [name, `keeps ${keeps}`] as const
  ),
]);

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

export function Form({ settings, change, connectomes, addFiles }: {
  readonly settings: Settings;
  readonly change: (settings: Settings) => void;
  readonly connectomes: readonly KnownConnectome[];
  /** Takes connectomes and configs. */
  readonly addFiles: (files: Iterable<File>) => void;
}) {
  const files = useRef<HTMLInputElement>(null);
  const arms = armsOf(settings);
  const task = settings.task_name!;
  const name = settings.net_name!;
  const fields = fieldsOf(task);
  const set = (key: string) => (value: string) =>
    change({ ...settings, [key]: value });
  const field = ({ key, section, schema }: Field) => (
    <Control
      key={key}
      id={key}
      // Of the grid there are several of each.
      kind={section === "combosparams" ? `${schema.kind} list` : schema.kind}
      label={LABELS[key] ?? key.replaceAll("_", " ")}
      hint={key in LABELS ? "" : plain(schema.description)}
      value={settings[key]!}
      set={set(key)}
      of={"choices" in schema ? schema.choices.map(named) : []}
    />
  );
  const placed = (...keys: string[]) =>
    keys.map((key) => field(fields.find((each) => each.key === key)!));
  const others = (...sections: Field["section"][]) =>
    fields.filter(({ key, section }) =>
      sections.includes(section) && !PLACED.includes(key)
    ).map(field);
  const arm = (name: string) => (
    <Control
      key={name}
      id={`arm-${name}`}
      kind="boolean"
      label={labelOf(name)}
      hint={KEPT.get(name)!}
      value={textOf(arms.includes(name))!}
      set={() => set("arms")(toggled([...KEPT.keys()], arms, name))}
    />
  );
  const moreArms = [...KEPT.keys()].filter((name) => !FIRST.includes(name));
  const isKnown = connectomes.some((each) => each.name === name);
  return (
    <form class="form" onSubmit={(event) => event.preventDefault()}>
      <fieldset class="card">
        <legend>Connectome</legend>
        <Control
          id="net_name"
          label="Brain"
          value={name}
          set={(name) => {
            const found = connectomes.find((each) => each.name === name);
            if (found !== undefined) change(withConnectome(settings, found));
          }}
          of={[
            ...(isKnown
              ? []
              : [[name, `${name}: its file is missing`] as const]),
            ...connectomes.map(({ name, regions }) =>
              [name, `${named(name)[1]} (${regions})`] as const
            ),
          ]}
        />
        <div class="field">
          <input
            ref={files}
            class="hidden"
            type="file"
            id="files"
            multiple
            tabIndex={-1}
            aria-label="Connectomes and configs"
            onChange={({ currentTarget }) => {
              addFiles(currentTarget.files ?? []);
              currentTarget.value = "";
            }}
          />
          <Button onClick={() => files.current?.click()}>Add a file …</Button>
          <small>
            A connectome (.csv, .npy, .npz, a list of connections) or a
            config.ini; or drop it anywhere here.
          </small>
        </div>
        {placed("nr_neurons")}
      </fieldset>
      <fieldset class="card">
        <legend>Task</legend>
        <Control
          id="task_name"
          label="What is learnt"
          hint={plain(TASKS.get(task)?.description ?? "")}
          value={task}
          set={(name) => change(withTask(settings, name))}
          of={[...TASKS.keys()].map((name) => [name, name] as const)}
        />
        {placed("nr_of_trials")}
        <More title="Details of the task">{others("trialparams")}</More>
      </fieldset>
      <fieldset class="card">
        <legend>Arms</legend>
        {FIRST.map(arm)}
        <More
          title="More null models"
          open={moreArms.some((name) => arms.includes(name))}
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
          <Control
            id="device"
            label="Device"
            value={settings.device!}
            set={set("device")}
            of={[...DEVICES]}
          />
        </More>
      </fieldset>
    </form>
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

/** A word, and how it is shown. */
const named = (word: string) => [word, word.replaceAll("_", " ")] as const;

/** The chosen of all words, in their order, with one more or without it. */
function toggled(
  all: readonly string[],
  chosen: readonly string[],
  word: string,
): string {
  return all.filter((each) => chosen.includes(each) !== (each === word)).join();
}

/** Values, each with what it is called. */
type Options = readonly (readonly [value: string, name: string])[];

/** What is filled in under one name. */
function Control({ id, kind = "choice", label, hint, value, set, of = [] }: {
  readonly id: string;
  /** A "boolean" is ticked, of a "choice" one is chosen, of a "words list" some; all else is written. */
  readonly kind?: string;
  readonly label: string;
  readonly hint?: string;
  readonly value: string;
  readonly set: (value: string) => void;
  readonly of?: Options;
}) {
  const described = hint ? `${id}-hint` : undefined;
  const parts = {
    label: <label for={id}>{label}</label>,
    hint: hint && <small id={described}>{hint}</small>,
  };
  if (kind === "boolean") {
    return (
      <p class="check">
        <input
          id={id}
          type="checkbox"
          checked={value === "True"}
          aria-describedby={described}
          onChange={(event) => set(textOf(event.currentTarget.checked)!)}
        />
        {parts.label}
        {parts.hint}
      </p>
    );
  }
  if (kind === "words list") {
    const chosen = value.split(",").map((word) => word.trim());
    const all = of.map(([word]) => word);
    return (
      <div class="field" role="group" aria-labelledby={`${id}-label`}>
        <span class="label" id={`${id}-label`}>{label}</span>
        <div class="choices">
          {all.map((word) => (
            <label class="chip" key={word}>
              <input
                type="checkbox"
                checked={chosen.includes(word)}
                onChange={() => set(toggled(all, chosen, word))}
              />
              {word}
            </label>
          ))}
        </div>
      </div>
    );
  }
  const control = { id, value, "aria-describedby": described };
  return (
    <p class="field">
      {parts.label}
      {kind === "choice" ? <Select {...control} set={set} of={of} /> : (
        <input
          {...control}
          type="text"
          inputMode={kind.endsWith("list") ? "text" : "decimal"}
          autoComplete="off"
          spellcheck={false}
          onInput={(event) => set(event.currentTarget.value)}
        />
      )}
      {parts.hint}
    </p>
  );
}

/** One of some values. */
export function Select({ set, of, ...about }: {
  readonly value: string;
  readonly set: (value: string) => void;
  readonly of: Options;
} & Pick<JSX.IntrinsicElements["select"], "id" | "aria-describedby">) {
  return (
    <select
      {...about}
      onChange={(event) => set(event.currentTarget.value)}
    >
      {of.map(([value, name]) => (
        <option value={value} key={value}>{name}</option>
      ))}
    </select>
  );
}

/** One that sends nothing. */
export function Button(props: JSX.IntrinsicElements["button"]) {
  return <button type="button" {...props} />;
}
