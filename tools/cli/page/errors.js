// Errors: their distribution for each kind of tensor, by kind and layer, and layer by layer.
//
// A run here is {label, tensors}; a tensor has name, kind, group, layer, type, and the errors that
// measures take from it. A measure is {label, error(tensor), power(tensor)}.

const SLOTS = 8;  // colours that lines can have

const shownError = (error) => known(error) && error > 1e-12 && error < 1e12;

/** The tensors of a run that have an error, with it, and with their share of the run's error. */
const measured = (run, measure) => {
  const tensors = run.tensors.map((tensor) => ({...tensor, error: measure.error(tensor)}))
                      .filter((tensor) => shownError(tensor.error));
  const parts = tensors.map((tensor) => tensor.error * measure.power(tensor));
  const all = sum(parts, (part) => part);
  return tensors.map(
      (tensor, i) => ({...tensor, share: all > 0 ? parts[i] / all : undefined, run: run.label}));
};

const toldOf = (tensor, several) => `${tensor.name}: ${numberText(tensor.error)} as ${tensor.type}${
                                        several ? ` in ${tensor.run}` : ''}` +
    (known(tensor.share) ? `, ${percentText(tensor.share)} of the total error` : '');

/** For each kind a lane, on which each tensor is a stroke, with the median and the middle half. */
const distributions = (state, find) => plot({
  label: 'Distribution of the error of each kind of tensor',
  find,
  draw(surface) {
    const {runs} = state;
    const all = runs.flatMap((run) => run.shown);
    const kinds = inOrder(new Set(all.map((tensor) => tensor.kind)));
    const byKind = runs.map((run) => grouped(run.shown, (tensor) => tensor.kind));
    const errors = all.map((tensor) => tensor.error);
    let scale;  // of all lanes, which are of one width
    const note = (kind) => byKind.map((tensors) => {
      const these = tensors.get(kind);
      if (!these) return '–';
      const share =
          known(these[0].share) ? `, ${percentText(sum(these, (each) => each.share))} of all` : '';
      return `median ${numberText(median(these.map((each) => each.error)))}${share}`;
    });
    surface.height = kindRows(surface, kinds, note, 0, (kind, y, lane) => {
      scale =
          scale || logScale(Math.min(...errors), Math.max(...errors), lane.left, lane.right, 48);
      const height = 22 * runs.length + 4;
      for (const tick of scale.ticks) surface.line(scale(tick), y - 2, scale(tick), y + height - 4);
      byKind.forEach((tensors, i) => {
        const these = tensors.get(kind) || [];
        const sorted = these.map((each) => each.error).sort((a, b) => a - b);
        const middle = y + 11 + 22 * i;
        if (sorted.length > 1) {
          const [low, high] = [0.25, 0.75].map((share) => scale(quantile(sorted, share)));
          surface.rect(low - 1, middle - 9, high - low + 2, 18, 'box');
        }
        for (const tensor of these) {
          surface.rect(scale(tensor.error) - 1, middle - 7, 2, 14, `stroke c${i % SLOTS}`);
          surface.mark(
              scale(tensor.error) - 2, middle - 9, 4, 18, toldOf(tensor, runs.length > 1),
              tensor.name);
        }
        if (sorted.length > 1) {
          surface.rect(scale(quantile(sorted, 0.5)) - 1.5, middle - 9, 3, 18, 'median');
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

/** What the colours of the map can show, of runs with what is shown of them. */
const errorModes = (runs) => {
  const [first, ...others] = runs;
  const told = (tensor) => toldOf(tensor, others.length > 0);
  const ratio = (label, run, as, value) => ({
    label,
    tensors: run.shown,
    value,
    colours: (values) => ratioColours(values, as),
    told: (tensor) => `${told(tensor)}; ${ratioText(value(tensor))} of ${as}`
  });
  const steps = (label, run, value) =>
      ({label, tensors: run.shown, value, colours: stepColours, told});
  const modes = others.map((other) => {
    const before = new Map(first.shown.map((tensor) => [tensor.name, tensor]));
    return ratio(
        `${other.label} against ${first.label}`, other, `${first.label}'s error`,
        (tensor) => before.has(tensor.name) && tensor.error / before.get(tensor.name).error);
  });
  for (const run of runs) {
    const whose = others.length ? `${run.label}: ` : '';
    const medians = new Map([...grouped(run.shown, (tensor) => tensor.type)].map(
        ([type, tensors]) => [type, median(tensors.map((each) => each.error))]));
    modes.push(
        ratio(
            `${whose}within each type`, run, 'the median of its type',
            (tensor) => tensor.error / medians.get(tensor.type)),
        steps(`${whose}error`, run, (tensor) => tensor.error));
    if (run.shown.some((tensor) => known(tensor.share)))
      modes.push(steps(`${whose}share of the total error`, run, (tensor) => tensor.share));
  }
  return modes;
};

/** The sections about errors, by measures that all runs have; without any, `none` is said. */
const errorSections = (runs, measures, find, none) => {
  if (!measures.length) return [section('errors', 'Errors', h('p', {}, none))];
  const state = {runs: []};
  const use = (measure) => {
    state.runs = runs.map((run) => ({label: run.label, shown: measured(run, measure)}));
  };
  use(measures[0]);
  const map = layerMap({
    label: 'Errors by kind of tensor and layer',
    modesOf: () => errorModes(state.runs),
    find,
    none: 'There is nothing to show: no tensor of a layer has both errors.'
  });
  const pictures = [distributions(state, find), map, layerLines(state, find)];
  const measuring =
      measures.length > 1 && choice('Error', measures.map((each, i) => [i, each.label]), (at) => {
        use(measures[at]);
        for (const picture of pictures) picture.redraw();
      });
  const names =
      runs.length > 1 && legend(runs.map((run, i) => [swatch(`c${i % SLOTS}`), run.label]));
  return [
    section(
        'errors', 'Errors by kind of tensor',
        h('p', {},
          'Squared error, relative to the squared weights: lower is better, 1 is what zeros ' +
              'would have. A stroke is a tensor, the box their middle half, the bold line the median.'),
        measuring && h('div', {class: 'controls'}, measuring), names || null, pictures[0]),
    section(
        'map', 'Errors by kind and layer',
        h('p', {},
          runs.length > 1 ?
              'A cell is a tensor. Its colour compares two runs; or, if you choose so, the tensors of one.' :
              'A cell is a tensor. Types differ in their errors far more than tensors of one type: so ' +
                  'its colour tells how it does among those of its type, unless you choose otherwise.'),
        pictures[1]),
    section(
        'layers', 'Errors layer by layer',
        h('p', {},
          `Choose up to ${SLOTS} kinds of tensor, or a group of them.` +
              (runs.length > 1 ?
                   ` Dashed lines are ${runs.slice(1).map((run) => run.label).join(', ')}.` :
                   '')),
        pictures[2]),
  ];
};
