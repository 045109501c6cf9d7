/// <reference lib="dom" />
/** @jsxRuntime automatic */
/** @jsxImportSource npm:preact@11.2.0 */
/**
 * The page: a form that says what to train, and what comes of it while it
 * trains.
 *
 * @module
 */

import { type ComponentChildren, render } from "npm:preact@11.2.0";
import {
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "npm:preact@11.2.0/hooks";
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
import { Button, Form, Select } from "./form.tsx";
import { Curves, Matrix, Trial } from "./charts.tsx";
import type { Summary } from "./results.ts";
import type { News, Order, Training, Watched } from "./trainer.ts";
import { plural } from "../text/words.ts";
import { TASKS } from "../tasks/registry.ts";

const { net_name, rnn_size } = defaultSettings();
const EMBEDDED = { name: net_name!, regions: Number(rnn_size) };

/** Whether pictures should change seldom. */
const calm = matchMedia("(prefers-reduced-motion: reduce)");

function App() {
  const [settings, setSettings] = useState(() => settingsOfLink(location.hash));
  const [training, setTraining] = useState<Training>({ phase: "idle" });
  const [notes, setNotes] = useState<readonly string[]>([]);
  const [connectomes, setConnectomes] = useState([EMBEDDED]);
  const [watched, setWatched] = useState<Watched>({
    arm: 0,
    combination: 0,
    trial: 0,
    change: false,
  });
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
    const first = { ...watched, arm: 0, combination: 0 };
    setWatched(first);
    const pace = calm.matches ? 2000 : 250;
    order({ ask: "start", settings, watched: first, pace });
  };
  const addConnectome = (added: KnownConnectome) => {
    setConnectomes((before) => [
      ...before.filter(({ name }) => name !== added.name),
      added,
    ]);
    const config = waiting.current;
    if (config?.net_name === added.name) return start(config);
    setSettings((before) => withConnectome(before, added));
  };
  const addConfig = async (file: File) => {
    try {
      const read = settingsOfConfig(await file.text(), file.name);
      setSettings(read);
      const name = read.net_name!;
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

  // After each drawing, as what hears knows the state of its drawing alone.
  useEffect(() => {
    worker.onmessage = ({ data }: MessageEvent<News>) => {
      const { note, connectome, zip, ...changes } = data;
      if (note !== undefined) setNotes((before) => [...before, note]);
      if (connectome !== undefined) addConnectome(connectome);
      if (zip !== undefined) save(zip);
      change(changes);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      change({ error: `The page has a fault: ${event.message}` });
    };
    globalThis.onhashchange = () => setSettings(settingsOfLink(location.hash));
    globalThis.ondragover = (event) => event.preventDefault();
    globalThis.ondrop = (event) => {
      event.preventDefault();
      addFiles(event.dataTransfer?.files ?? []);
    };
  });
  // At once: a link that is copied says what is seen.
  useLayoutEffect(() => {
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
            <Button
              id="stop"
              onClick={() => order({ ask: "stop" })}
            >
              Stop
            </Button>
          )}
          {phase === "stopped" && (
            <Button
              id="go"
              onClick={() => order({ ask: "go on" })}
            >
              Go on
            </Button>
          )}
          <Button
            class="primary"
            id="train"
            disabled={problem !== undefined || phase === "preparing"}
            onClick={start}
          >
            {phase === "idle" ? "Train" : "Train anew"}
          </Button>
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

/** A part of the page under a heading, beside which its tools stand. */
function Card({ id, title, tools, children }: {
  readonly id: string;
  readonly title: string;
  readonly tools?: ComponentChildren;
  readonly children: ComponentChildren;
}) {
  return (
    <section class="card" aria-labelledby={id}>
      <div class="head">
        <h2 id={id}>{title}</h2>
        {tools}
      </div>
      {children}
    </section>
  );
}

/** A link repeats the run: all settings are in it. */
function CopyLink() {
  const [copied, set] = useState(false);
  return (
    <Button
      onClick={async () => {
        await navigator.clipboard.writeText(location.href);
        set(true);
        setTimeout(() => set(false), 2000);
      }}
    >
      <span role="status">{copied ? "Copied" : "Copy link"}</span>
    </Button>
  );
}

/** What came of it: losses, what can be said of them, and all files. */
function Outcome(
  { summary: { findings, losses }, arms, combinations, packing, pack }: {
    readonly summary: Summary;
    readonly packing: boolean;
    readonly pack: () => void;
    readonly arms: readonly string[];
    readonly combinations: readonly string[];
  },
) {
  const short = (value: number) => Number(value.toPrecision(3)).toString();
  const many = combinations.length > 1;
  return (
    <Card
      id="outcome"
      title="Result"
      tools={
        <Button id="zip" disabled={packing} onClick={pack}>
          {packing ? "Packing …" : "Download results (.zip)"}
        </Button>
      }
    >
      <div class="wide" role="region" aria-label="Losses" tabIndex={0}>
        <table>
          <caption>
            Lowest validation loss, mean ± standard deviation over runs
          </caption>
          <thead>
            <tr>
              {many && <th scope="col">combination</th>}
              {arms.map((arm) => <th scope="col" key={arm}>{arm}</th>)}
            </tr>
          </thead>
          <tbody>
            {combinations.map((title, c) => (
              <tr key={title}>
                {many && <th scope="row">{title}</th>}
                {losses.map((own, a) => (
                  <td key={arms[a]}>
                    {own[c]!.filter((value, i) =>
                      i === 0 || Number.isFinite(value)
                    ).map(short).join(" ± ")}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {findings.length > 0 && (
        <details>
          <summary>The comparison in words</summary>
          {findings.map((finding) => <p key={finding}>{finding}</p>)}
        </details>
      )}
      <p class="muted">
        The archive holds a results folder for each arm, as{" "}
        <code>deno task train config.ini</code> writes it;{" "}
        <code>deno task viz</code> reads them.
      </p>
    </Card>
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
            <Button onClick={() => watch({ trial: watched.trial + 1 })}>
              Another
            </Button>
          }
        >
          <Trial picture={seen?.trial} task={TASKS.get(begun.task)!} />
        </Card>
      </div>
    </>
  );
}

render(<App />, document.getElementById("app")!);
