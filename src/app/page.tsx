/// <reference lib="dom" />
/** @jsxRuntime automatic */
/** @jsxImportSource npm:preact@11.2.0 */
/**
 * The page: a form that says what to train, and what comes of it while it
 * trains.
 *
 * @module
 */

import { render } from "npm:preact@11.2.0";
import { useEffect, useMemo, useRef, useState } from "npm:preact@11.2.0/hooks";
import {
  defaultSettings,
  experimentsOf,
  type KnownConnectome,
  linkOf,
  type Settings,
  settingsOfConfig,
  settingsOfLink,
  withConnectome,
} from "./settings.ts";
import { Form, Select } from "./form.tsx";
import { Card, CopyLink, Curves, Matrix, Outcome, Trial } from "./views.tsx";
import type { News, Order, Training, Watched } from "./trainer.ts";
import { plural } from "../text/words.ts";
import { TASKS } from "../tasks/registry.ts";

const { values: DEFAULTS } = defaultSettings();
const EMBEDDED: KnownConnectome = {
  name: DEFAULTS.net_name!,
  regions: Number(DEFAULTS.rnn_size),
};

const FIRST: Watched = { arm: 0, combination: 0, trial: 0, change: false };

/** Whether pictures should change seldom. */
const calm = matchMedia("(prefers-reduced-motion: reduce)");

function App() {
  const [settings, setSettings] = useState(() => settingsOfLink(location.hash));
  const [training, setTraining] = useState<Training>({ phase: "idle" });
  const [notes, setNotes] = useState<readonly string[]>([]);
  const [connectomes, setConnectomes] = useState([EMBEDDED]);
  const [watched, setWatched] = useState(FIRST);
  const worker = useMemo(
    () =>
      new Worker(new URL("./trainer.js", import.meta.url), { type: "module" }),
    [],
  );
  /** Of a config that was dropped before its connectome. */
  const waiting = useRef<Settings | undefined>(undefined);
  const order = (order: Order) => worker.postMessage(order);
  const change = (change: Partial<Training>) =>
    setTraining((before) => ({ ...before, ...change }));
  const watch = (change: Partial<Watched>) => {
    const next = { ...watched, ...change };
    setWatched(next);
    order({ ask: "watch", watched: next });
  };

  const start = (settings: Settings) => {
    waiting.current = undefined;
    setTraining({ phase: "preparing" });
    setNotes([]);
    watch({ arm: 0, combination: 0 });
    order({ ask: "start", settings, pace: calm.matches ? 2000 : 250 });
  };
  const addConnectome = (added: KnownConnectome) => {
    setConnectomes((before) => [
      ...before.filter(({ name }) => name !== added.name),
      added,
    ]);
    const config = waiting.current;
    if (config?.values.net_name === added.name) return start(config);
    setSettings((before) => withConnectome(before, added));
  };
  const addConfig = async (file: File) => {
    try {
      const read = settingsOfConfig(await file.text(), file.name);
      setSettings(read);
      const name = read.values.net_name!;
      if (connectomes.some((each) => each.name === name)) return start(read);
      waiting.current = read;
      change({
        error:
          `This config trains ${name}, which is not here yet: drop the file of that connectome, too, and it starts`,
      });
    } catch (error) {
      change({ error: sentenceOf(error) });
    }
  };
  const addFiles = (files: Iterable<File>) => {
    setTraining(({ error: _, ...before }) => before);
    for (const file of files) {
      if (/\.(?:ini|cfg|conf)$/i.test(file.name)) addConfig(file);
      else order({ ask: "add", file });
    }
  };

  useEffect(() => {
    worker.onmessage = ({ data }: MessageEvent<News>) => {
      const { note, connectome, zip, ...changes } = data;
      if (note !== undefined) setNotes((before) => [...before, note]);
      if (connectome !== undefined) addConnectome(connectome);
      if (zip !== undefined) save(zip);
      change(changes);
    };
  });
  useEffect(() => {
    worker.onerror = (event) => {
      event.preventDefault();
      change({ error: `The page has a fault: ${event.message}` });
    };
    const follow = () => setSettings(settingsOfLink(location.hash));
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  useEffect(() => {
    const over = (event: DragEvent) => event.preventDefault();
    const drop = (event: DragEvent) => {
      event.preventDefault();
      addFiles(event.dataTransfer?.files ?? []);
    };
    addEventListener("dragover", over);
    addEventListener("drop", drop);
    return () => {
      removeEventListener("dragover", over);
      removeEventListener("drop", drop);
    };
  });
  useEffect(() => {
    history.replaceState(null, "", `#${linkOf(settings)}`);
  }, [settings]);

  return (
    <div class="columns">
      <div class="results">
        <Status
          training={training}
          notes={notes}
          settings={settings}
          order={order}
          start={() => start(settings)}
        />
        <Results
          training={training}
          watched={watched}
          watch={watch}
          pack={() => {
            change({ packing: true });
            order({ ask: "pack" });
          }}
        />
      </div>
      <Form
        settings={settings}
        change={setSettings}
        connectomes={connectomes}
        addFiles={addFiles}
      />
    </div>
  );
}

function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What is wrong with the settings, or what they come to. */
function judge(
  settings: Settings,
): { readonly problem?: string; readonly summary?: string } {
  try {
    const all = experimentsOf(settings);
    const { grid, training, net } = all[0]!;
    const { length } = grid.combinations;
    const runs = all.length * length * training.iterations;
    return {
      summary: `${plural(all.length, "arm")} × ${
        plural(length, "combination")
      } × ${training.iterations} = ${plural(runs, "run")} of ${
        net.regions * net.neuronsPerRegion
      } neurons`,
    };
  } catch (error) {
    return { problem: sentenceOf(error) };
  }
}

/** Gives the archive to the browser's downloads. */
function save(zip: Uint8Array<ArrayBuffer>): void {
  const address = URL.createObjectURL(
    new Blob([zip], { type: "application/zip" }),
  );
  const link = document.createElement("a");
  link.href = address;
  link.download = "biornn.zip";
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

const PHASES = {
  idle: "Ready",
  preparing: "Preparing …",
  training: "Training",
  stopped: "Stopped",
  finished: "Finished",
} as const;

function Status({ training, notes, settings, order, start }: {
  readonly training: Training;
  readonly notes: readonly string[];
  readonly settings: Settings;
  readonly order: (order: Order) => void;
  readonly start: () => void;
}) {
  const { phase, begun, progress, error } = training;
  const { problem, summary } = useMemo(() => judge(settings), [settings]);
  const done = progress?.done ?? 0;
  const speed = progress?.updatesPerSecond ?? 0;
  return (
    <section class="card status" aria-label="Training">
      <div class="head">
        <p class="phase" role="status" id="phase" data-phase={phase}>
          {PHASES[phase]}
          {begun && phase !== "preparing" && `, ${Math.floor(100 * done)} %`}
        </p>
        <div class="buttons">
          <CopyLink />
          {phase === "training" && (
            <button
              type="button"
              id="stop"
              onClick={() => order({ ask: "stop" })}
            >
              Stop
            </button>
          )}
          {phase === "stopped" && (
            <button
              type="button"
              id="go"
              onClick={() => order({ ask: "go on" })}
            >
              Go on
            </button>
          )}
          <button
            type="button"
            class="primary"
            id="train"
            disabled={problem !== undefined || phase === "preparing"}
            onClick={start}
          >
            {phase === "idle" ? "Train" : "Train anew"}
          </button>
        </div>
      </div>
      {begun && <progress max={1} value={done} aria-label="Epochs trained" />}
      {problem === undefined
        ? <p class="muted summary">{summary}</p>
        : <p class="problem" role="alert">{problem}</p>}
      {begun && (
        <p class="muted">
          {begun.engine}
          {speed > 0 &&
            `; ${Math.round(speed).toLocaleString("en")} updates a second`}
        </p>
      )}
      {error !== undefined && (
        <p class="problem" role="alert" id="error">{error}</p>
      )}
      {notes.slice(-2).map((note) => <p class="muted" key={note}>{note}</p>)}
    </section>
  );
}

/** One of some, by its number. */
function Numbered({ label, value, set, of }: {
  readonly label: string;
  readonly value: number;
  readonly set: (value: number) => void;
  readonly of: readonly string[];
}) {
  return (
    <label>
      {label}{" "}
      <Select
        value={`${value}`}
        set={(value) => set(Number(value))}
        of={of.map((title, i) => [`${i}`, title])}
      />
    </label>
  );
}

function Results(
  { training: { begun, progress, summary, packing }, watched, watch, pack }: {
    readonly training: Training;
    readonly pack: () => void;
    readonly watched: Watched;
    readonly watch: (change: Partial<Watched>) => void;
  },
) {
  if (begun === undefined) {
    return (
      <section class="card empty">
        <h2>What you will see</h2>
        <p>
          The loss of the biological network and of its random counterparts, its
          recurrent weights as they change, and a trial with the network's
          answer.
        </p>
      </section>
    );
  }
  const { arms, combinations, epochs } = begun;
  const seen = progress?.watched;
  return (
    <>
      <Card
        id="curves"
        title="Loss"
        tools={combinations.length > 1 && (
          <Numbered
            label="combination"
            value={watched.combination}
            set={(combination) => watch({ combination })}
            of={combinations}
          />
        )}
      >
        <Curves arms={arms} epochs={epochs} points={progress?.curves ?? []} />
      </Card>
      {summary !== undefined && (
        <Outcome
          summary={summary}
          arms={arms}
          combinations={combinations}
          packing={packing === true}
          pack={pack}
        />
      )}
      <div class="pair">
        <Card
          id="weights"
          title="Recurrent weights"
          tools={
            <Numbered
              label="of"
              value={watched.arm}
              set={(arm) => watch({ arm })}
              of={arms}
            />
          }
        >
          <Matrix picture={seen?.matrix} epoch={seen?.epoch} />
          <label class="check">
            <input
              type="checkbox"
              checked={watched.change}
              onChange={(event) =>
                watch({ change: event.currentTarget.checked })}
            />{" "}
            show what has changed since the start
          </label>
        </Card>
        <Card
          id="trial"
          title="A trial"
          tools={
            <button
              type="button"
              onClick={() => watch({ trial: watched.trial + 1 })}
            >
              Another
            </button>
          }
        >
          <Trial picture={seen?.trial} task={TASKS.get(begun.task)!} />
        </Card>
      </div>
    </>
  );
}

render(<App />, document.getElementById("app")!);
