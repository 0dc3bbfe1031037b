// Errors: their distribution for each kind of tensor, by kind and layer, and layer by layer.
//
// A run here is {label, tensors}; a tensor has name, kind, group, layer, type, and the errors that
// measures take from it. A measure is {label, error(tensor), power(tensor)}.

const SLOTS = 8;  // colours that lines can have
const NARROW = 620;  // pixels, below which names stand above what they name

const shownError = (error) => known(error) && error > 1e-12 && error < 1e12;

/** The tensors of a run that have an error, with it, and with their share of the run's error. */
const measured = (run, measure) => {
  const tensors = run.tensors.map((tensor) => ({...tensor, error: measure.error(tensor)}))
      .filter((tensor) => shownError(tensor.error));
  const parts = tensors.map((tensor) => tensor.error * measure.power(tensor));
  const all = sum(parts, (part) => part);
  return tensors.map((tensor, i) =>
    ({...tensor, share: all > 0 ? parts[i] / all : undefined, run: run.label}));
};

const toldOf = (tensor, several) =>
  `${tensor.name}: ${numberText(tensor.error)} as ${tensor.type}${several ? ` in ${tensor.run}` : ""}` +
  (known(tensor.share) ? `, ${percentText(tensor.share)} of the total error` : "");

/** Rows of kinds under the names of their groups: calls `row(kind, y, lane)`, which returns its height. */
const kindRows = (surface, kinds, note, y, row) => {
  const narrow = surface.width < NARROW;
  const lane = narrow ? {left: 8, right: surface.width - 8}
      : {left: 164, right: surface.width - (note ? 200 : 8)};
  let group;
  for (const kind of kinds) {
    if (groupOf(kind) !== group) {
      group = groupOf(kind);
      surface.text(0, y + 17, group, "group");
      y += 24;
    }
    const notes = note ? note(kind) : [];
    if (narrow) {
      const room = notes.length === 1 ? textWidth(notes[0]) + 12 : 0;
      surface.text(0, y + 13, fitted(kind, surface.width - room), "name");
      if (room) surface.text(surface.width, y + 13, notes[0], "", "end");
      y += 18;
    } else {
      surface.text(0, y + 15, fitted(kind, lane.left - 12), "name");
      notes.forEach((text, i) => surface.text(surface.width, y + 15 + 22 * i, text, "", "end"));
    }
    y += row(kind, y, lane);
  }
  return y;
};

/** For each kind a lane, on which each tensor is a stroke, with the median and the middle half. */
const distributions = (state, find) => plot({
  label: "Distribution of the error of each kind of tensor",
  find,
  draw(surface) {
    const {runs} = state;
    const all = runs.flatMap((run) => run.shown);
    const kinds = inOrder(new Set(all.map((tensor) => tensor.kind)));
    const byKind = runs.map((run) => grouped(run.shown, (tensor) => tensor.kind));
    const errors = all.map((tensor) => tensor.error);
    let scale;  // of all lanes, which are of one width
    const note = (kind) => byKind.map((tensors) => {
      const of = tensors.get(kind);
      if (!of) return "–";
      const share = known(of[0].share) ? `, ${percentText(sum(of, (each) => each.share))} of all` : "";
      return `median ${numberText(median(of.map((each) => each.error)))}${share}`;
    });
    surface.height = kindRows(surface, kinds, note, 0, (kind, y, lane) => {
      scale = scale || logScale(Math.min(...errors), Math.max(...errors), lane.left, lane.right, 48);
      const height = 22 * runs.length + 4;
      for (const tick of scale.ticks) surface.line(scale(tick), y - 2, scale(tick), y + height - 4);
      byKind.forEach((tensors, i) => {
        const of = tensors.get(kind) || [];
        const sorted = of.map((each) => each.error).sort((a, b) => a - b);
        const middle = y + 11 + 22 * i;
        if (sorted.length > 1) {
          const [low, high] = [0.25, 0.75].map((share) => scale(quantile(sorted, share)));
          surface.rect(low - 1, middle - 9, high - low + 2, 18, "box");
        }
        for (const tensor of of) {
          surface.rect(scale(tensor.error) - 1, middle - 7, 2, 14, `stroke c${i}`);
          surface.mark(scale(tensor.error) - 2, middle - 9, 4, 18, toldOf(tensor, runs.length > 1),
              tensor.name);
        }
        if (sorted.length > 1) {
          surface.rect(scale(quantile(sorted, 0.5)) - 1.5, middle - 9, 3, 18, "median");
        }
      });
      return height;
    });
    for (const tick of scale.ticks) {
      surface.label(scale(tick), surface.height + 12, tickText(tick));
    }
    surface.height += 18;
  },
});

/** What the colours of the map can show: {label, value(tensor), scale: "ratio" or "amount", told}. */
const mapModes = (state) => {
  const [first, ...others] = state.runs;
  const modes = others.map((other) => {
    const before = new Map(first.shown.map((tensor) => [tensor.name, tensor]));
    return {label: `${other.label} against ${first.label}`, run: other, ratio: true,
      value: (tensor) => before.has(tensor.name) && tensor.error / before.get(tensor.name).error,
      as: `${first.label}'s error`};
  });
  for (const run of state.runs) {
    const of = others.length ? `${run.label}: ` : "";
    const medians = new Map([...grouped(run.shown, (tensor) => tensor.type)].map(
        ([type, tensors]) => [type, median(tensors.map((each) => each.error))]));
    modes.push({label: `${of}within each type`, run, ratio: true, as: "the median of its type",
      value: (tensor) => tensor.error / medians.get(tensor.type)});
    modes.push({label: `${of}error`, run, value: (tensor) => tensor.error});
    if (run.shown.some((tensor) => known(tensor.share))) {
      modes.push({label: `${of}share of the total error`, run, value: (tensor) => tensor.share});
    }
  }
  return modes;
};

/** {style(value), items}: nine colours to both sides of 1, or eight, each for as many values. */
const mapColours = (mode, values) => {
  if (mode.ratio) {
    const logs = values.map((value) => Math.abs(Math.log(value))).sort((a, b) => a - b);
    const limit = Math.max(Math.log(1.05), quantile(logs, 0.95));
    const step = (value) => Math.round(4 * Math.max(-1, Math.min(1, Math.log(value) / limit)));
    const text = (at) => at === 0 ? mode.as : ratioText(Math.exp(limit * at / 4));
    return {style: (value) => `d${4 + step(value)}`,
      items: [-4, -2, 0, 2, 4].map((at) => [swatch(`d${4 + at}`), text(at)])};
  }
  const sorted = [...values].sort((a, b) => a - b);
  const bounds = Array.from({length: 9}, (_, i) => quantile(sorted, i / 8));
  const of = (value) => Math.min(7, bounds.findLastIndex((bound) => bound <= value));
  return {style: (value) => `h${of(value)}`,
    items: Array.from({length: 8}, (_, i) => [swatch(`h${i}`),
      `${numberText(bounds[i])} to ${numberText(bounds[i + 1])}`])
        .filter((item, i) => i === 7 || bounds[i] < bounds[i + 1])};
};

/** Kinds down, layers across, and a colour for what a mode shows. */
const layerMap = (state, find) => {
  let mode;
  const colours = h("div", {});
  const picture = plot({
    label: "Errors by kind of tensor and layer",
    find,
    draw(surface) {
      const cells = mode.run.shown.filter((tensor) => known(tensor.layer) && mode.value(tensor) > 0);
      if (!cells.length) {
        surface.text(0, 14, "There is nothing to show: no tensor of a layer has both errors.");
        surface.height = 20;
        return;
      }
      const kinds = inOrder(new Set(cells.map((tensor) => tensor.kind)));
      const byKind = grouped(cells, (tensor) => tensor.kind);
      const {style, items} = mapColours(mode, cells.map(mode.value));
      colours.replaceChildren(legend(items));
      const layers = Math.max(...cells.map((tensor) => tensor.layer)) + 1;
      let axis;
      const y = kindRows(surface, kinds, undefined, 0, (kind, top, lane) => {
        const width = (lane.right - lane.left) / layers;
        axis = axis || {left: lane.left, width};
        for (const tensor of byKind.get(kind)) {
          const x = lane.left + tensor.layer * width;
          const gap = width > 4 ? 1 : 0;
          surface.rect(x, top, width - gap, 20, style(mode.value(tensor)));
          const ratio = mode.ratio ? `; ${ratioText(mode.value(tensor))} of ${mode.as}` : "";
          surface.mark(x, top, width - gap, 20, toldOf(tensor, state.runs.length > 1) + ratio,
              tensor.name);
        }
        return 23;
      });
      for (const layer of everyNth(layers, surface.width - axis.left, 30)) {
        surface.label(axis.left + (layer + 0.5) * axis.width, y + 14, layer);
      }
      surface.text(surface.width, y + 30, "layer", "", "end");
      surface.height = y + 36;
    },
  });
  const controls = h("div", {class: "controls"});
  const renew = () => {
    const modes = mapModes(state);
    mode = modes[0];
    controls.replaceChildren(choice("Colours show", modes.map((each, i) => [i, each.label]), (at) => {
      mode = modes[at];
      picture.redraw();
    }));
    picture.redraw();
  };
  renew();
  return Object.assign(h("div", {}, controls, colours, picture), {redraw: renew});
};

/** Chosen kinds, layer by layer: each has a colour and a shape of its own; later runs are dashed. */
const layerLines = (state, find) => {
  const all = state.runs.flatMap((run) => run.shown).filter((tensor) => known(tensor.layer));
  const kinds = inOrder(new Set(all.map((tensor) => tensor.kind)));
  if (!kinds.length) return h("p", {}, "No tensor of a layer has an error.");
  const groups = grouped(kinds, groupOf);
  const slots = new Array(SLOTS).fill(undefined);
  const chooseGroup = (group) => slots.fill(undefined).splice(0, SLOTS,
      ...Array.from({length: SLOTS}, (_, i) => groups.get(group)[i]));
  chooseGroup(groups.has("attention") ? "attention" : groups.keys().next().value);
  const picture = plot({
    label: "Errors of the chosen kinds, layer by layer",
    find,
    draw(surface) {
      const narrow = surface.width < NARROW;
      const bottom = narrow ? 260 : 340;
      surface.height = bottom + 36;
      const lines = state.runs.flatMap((run, i) => slots.map((kind, slot) => ({slot, dashed: i > 0,
        points: run.shown.filter((each) => each.kind === kind && known(each.layer))
            .sort((a, b) => a.layer - b.layer)}))).filter((line) => line.points.length);
      const points = lines.flatMap((line) => line.points);
      if (!points.length) return surface.text(0, 40, "Choose kinds above.");
      const errors = points.map((point) => point.error);
      const y = logScale(Math.min(...errors), Math.max(...errors), bottom, 10, 24);
      const left = axisWidth(y);
      const layers = Math.max(...all.map((tensor) => tensor.layer)) + 1;
      const x = (layer) => left + 8 + (layer + 0.5) / layers * (surface.width - left - 16);
      for (const tick of y.ticks) {
        surface.line(left, y(tick), surface.width, y(tick));
        surface.text(left - 6, y(tick) + 4, tickText(tick), "", "end");
      }
      for (const layer of everyNth(layers, surface.width - left, 30)) {
        surface.label(x(layer), bottom + 18, layer);
      }
      surface.text(surface.width, bottom + 33, "layer", "", "end");
      for (const {slot, dashed, points: of} of lines) {
        surface.add("polyline", {class: `line s${slot} ${dashed ? "dashed" : ""}`,
          points: of.map((point) => `${x(point.layer)},${y(point.error)}`).join(" ")});
      }
      for (const {slot, points: of} of lines) {
        for (const point of of) {
          const [px, py] = [x(point.layer), y(point.error)];
          surface.shape(px, py, slot, `c${slot}`, layers > 40 || narrow ? 2.6 : 4);
          surface.mark(px - 4, py - 4, 8, 8, toldOf(point, state.runs.length > 1), point.name);
        }
      }
    },
  });
  const chips = h("div", {class: "chips", role: "group", "aria-label": "Kinds to show"});
  const toggle = (kind) => {
    const at = slots.indexOf(kind);
    const free = slots.indexOf(undefined);
    if (at >= 0) slots[at] = undefined;
    else slots[free < 0 ? SLOTS - 1 : free] = kind;
    renew();
  };
  const renew = () => {
    chips.replaceChildren(...[...groups].map(([group, of]) => h("div", {},
        h("button", {type: "button", class: "group", onclick: () => {
          chooseGroup(group);
          renew();
        }}, group),
        of.map((kind) => h("button", {type: "button", class: "chip",
          "aria-pressed": String(slots.includes(kind)), onclick: () => toggle(kind)},
        slots.includes(kind) && keyOf(slots.indexOf(kind)), kind)))));
    picture.redraw();
  };
  renew();
  return Object.assign(h("div", {}, chips, picture), {redraw: () => picture.redraw()});
};

/** The mark of a slot, for a legend. */
const keyOf = (slot) => {
  const surface = new Surface(12);
  surface.shape(6, 6, slot, `c${slot}`);
  return svg("svg", {viewBox: "0 0 12 12", class: "key", "aria-hidden": "true"}, surface.nodes);
};

/** The sections about errors, by measures that all runs have; `none` is said where there is none. */
const errorSections = (runs, measures, find, none) => {
  if (!measures.length) return [section("errors", "Errors", h("p", {}, none))];
  const state = {runs: []};
  const use = (measure) => {
    state.runs = runs.map((run) => ({label: run.label, shown: measured(run, measure)}));
  };
  use(measures[0]);
  const pictures = [distributions(state, find), layerMap(state, find), layerLines(state, find)];
  const measuring = measures.length > 1 && choice("Error", measures.map((each, i) => [i, each.label]), (at) => {
    use(measures[at]);
    for (const picture of pictures) picture.redraw();
  });
  const names = runs.length > 1 && legend(runs.map((run, i) => [swatch(`c${i}`), run.label]));
  return [
    section("errors", "Errors by kind of tensor",
        h("p", {}, "Squared error, relative to the squared weights: lower is better, 1 is what zeros " +
          "would have. A stroke is a tensor, the box their middle half, the bold line the median."),
        measuring && h("div", {class: "controls"}, measuring), names || null, pictures[0]),
    section("map", "Errors by kind and layer",
        h("p", {}, runs.length > 1
            ? "A cell is a tensor. Its colour compares two runs; or, if you choose so, the tensors of one."
            : "A cell is a tensor. Types differ in their errors far more than tensors of one type: so " +
              "its colour tells how it does among those of its type, unless you choose otherwise."),
        pictures[1]),
    section("layers", "Errors layer by layer",
        h("p", {}, `Choose up to ${SLOTS} kinds of tensor, or a group of them.` +
          (runs.length > 1 ? ` Dashed lines are ${runs.slice(1).map((run) => run.label).join(", ")}.` : "")),
        pictures[2]),
  ];
};
