// Runs in the report: unpacks each figure's data and draws it when it comes
// into view; the others of a short report when the browser is idle, so that a
// print has them all, those of a long one on request.
"use strict";
(() => {
  const places = [...document.querySelectorAll(".plot")];
  const options = {
    mode: "vega-lite",
    renderer: "svg",
    actions: { export: true, source: false, compiled: false, editor: false },
    tooltip: { theme: "custom" },
  };

  function unpackColumn({ values, runs }) {
    if (values !== undefined) return values;
    const all = [];
    for (let i = 0; i < runs.length; i += 2) {
      for (let k = 0; k < runs[i + 1]; k++) all.push(runs[i]);
    }
    return all;
  }

  function unpackTable({ rows, columns }) {
    const names = Object.keys(columns);
    const unpacked = names.map((name) => unpackColumn(columns[name]));
    const table = [];
    for (let i = 0; i < rows; i++) {
      const row = {};
      names.forEach((name, k) => {
        if (unpacked[k][i] !== null) row[name] = unpacked[k][i];
      });
      table.push(row);
    }
    return table;
  }

  const drawn = new Set();
  function draw(index) {
    if (drawn.has(index)) return Promise.resolve();
    drawn.add(index);
    const data = document.getElementById("data-" + index);
    const { spec, tables, name } = JSON.parse(data.textContent);
    data.remove();
    const datasets = {};
    for (const key of Object.keys(tables)) {
      datasets[key] = unpackTable(tables[key]);
    }
    const place = document.getElementById("figure-" + index);
    const whole = Object.keys(tables).length > 0 ? { ...spec, datasets } : spec;
    return globalThis.vegaEmbed(place, whole, {
      ...options,
      downloadFileName: name,
    }).then(
      () => place.removeAttribute("aria-busy"),
      (error) => {
        place.textContent = "This figure could not be drawn: " + error.message;
      },
    );
  }

  const seen = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      seen.unobserve(target);
      draw(Number(target.dataset.index));
    }
  }, { rootMargin: "400px" });
  places.forEach((place) => seen.observe(place));

  // Beyond so many, figures that nobody looks at would take minutes and memory.
  const MOST_UNASKED = 60;
  const whenIdle = globalThis.requestIdleCallback ||
    ((work) => setTimeout(work, 50));
  let next = 0;
  function drawNext() {
    if (next === places.length) {
      document.documentElement.dataset.ready = "true";
      return;
    }
    draw(Number(places[next++].dataset.index)).then(() => whenIdle(drawNext));
  }
  const all = document.getElementById("draw-all");
  if (places.length <= MOST_UNASKED) whenIdle(drawNext);
  else {
    all.hidden = false;
    all.addEventListener("click", () => {
      all.disabled = true;
      drawNext();
    });
  }

  // What is folded away would be missing from a print.
  const folded = () => document.querySelectorAll("details.fold:not([open])");
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...folded()];
    opened.forEach((one) => one.open = true);
  });
  addEventListener("afterprint", () => {
    opened.forEach((one) => one.open = false);
  });
})();
