// Errors by kind and layer, as colours.

/**
 * What the colours of the map can show of a run: {label, run, value(tensor)}; of ratios also
 * {ratio: true, as}, which says what they are of.
 */
const mapModes = (state) => {
  const [first, ...others] = state.runs;
  const modes = others.map((other) => {
    const before = new Map(first.shown.map((tensor) => [tensor.name, tensor]));
    return {label: `${other.label} against ${first.label}`, run: other, ratio: true,
      value: (tensor) => before.has(tensor.name) && tensor.error / before.get(tensor.name).error,
      as: `${first.label}'s error`};
  });
  for (const run of state.runs) {
    const whose = others.length ? `${run.label}: ` : '';
    const medians = new Map([...grouped(run.shown, (tensor) => tensor.type)].map(
        ([type, tensors]) => [type, median(tensors.map((each) => each.error))]));
    modes.push({label: `${whose}within each type`, run, ratio: true, as: 'the median of its type',
      value: (tensor) => tensor.error / medians.get(tensor.type)});
    modes.push({label: `${whose}error`, run, value: (tensor) => tensor.error});
    if (run.shown.some((tensor) => known(tensor.share))) {
      modes.push({label: `${whose}share of the total error`, run, value: (tensor) => tensor.share});
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
    return {
      style: (value) => `d${4 + step(value)}`,
      items: [-4, -2, 0, 2, 4].map((at) => [swatch(`d${4 + at}`), text(at)])
    };
  }
  const sorted = [...values].sort((a, b) => a - b);
  const bounds = Array.from({length: 9}, (_, i) => quantile(sorted, i / 8));
  const step = (value) => Math.min(7, bounds.findLastIndex((bound) => bound <= value));
  return {
    style: (value) => `h${step(value)}`,
    items:
        Array
            .from(
                {length: 8},
                (_, i) =>
                    [swatch(`h${i}`), `${numberText(bounds[i])} to ${numberText(bounds[i + 1])}`])
            .filter((item, i) => i === 7 || bounds[i] < bounds[i + 1])
  };
};

/** Kinds down, layers across, and a colour for what a mode shows. */
const layerMap = (state, find) => {
  let mode;
  const colours = h('div', {});
  const picture = plot({
    label: 'Errors by kind of tensor and layer',
    find,
    draw(surface) {
      const cells =
          mode.run.shown.filter((tensor) => known(tensor.layer) && mode.value(tensor) > 0);
      if (!cells.length) {
        surface.text(0, 14, 'There is nothing to show: no tensor of a layer has both errors.');
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
          const ratio = mode.ratio ? `; ${ratioText(mode.value(tensor))} of ${mode.as}` : '';
          surface.mark(
              x, top, width - gap, 20, toldOf(tensor, state.runs.length > 1) + ratio, tensor.name);
        }
        return 23;
      });
      for (const layer of everyNth(layers, surface.width - axis.left, 30)) {
        surface.label(axis.left + (layer + 0.5) * axis.width, y + 14, layer);
      }
      surface.text(surface.width, y + 30, 'layer', '', 'end');
      surface.height = y + 36;
    },
  });
  const controls = h('div', {class: 'controls'});
  const renew = () => {
    const modes = mapModes(state);
    mode = modes[0];
    controls.replaceChildren(
        choice('Colours show', modes.map((each, i) => [i, each.label]), (at) => {
          mode = modes[at];
          picture.redraw();
        }));
    picture.redraw();
  };
  renew();
  return Object.assign(h('div', {}, controls, colours, picture), {redraw: renew});
};
