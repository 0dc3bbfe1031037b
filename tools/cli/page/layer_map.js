// Tensors by kind, in rows, and by layer, as colours.

const NARROW = 620;  // pixels, below which names stand above what they name

/**
 * Rows of kinds under the names of their groups: calls `row(kind, y, lane)`, which returns its
 * height. Returns where the rows end.
 */
const kindRows = (surface, kinds, note, y, row) => {
  const narrow = surface.width < NARROW;
  const lane = narrow ? {left: 8, right: surface.width - 8} :
                        {left: 164, right: surface.width - (note ? 200 : 8)};
  let group;
  for (const kind of kinds) {
    if (groupOf(kind) !== group) {
      group = groupOf(kind);
      surface.text(0, y + 17, group, 'group');
      y += 24;
    }
    const notes = note ? note(kind) : [];
    if (narrow) {
      const room = notes.length === 1 ? textWidth(notes[0]) + 12 : 0;
      surface.text(0, y + 13, fitted(kind, surface.width - room), 'name');
      if (room) surface.text(surface.width, y + 13, notes[0], '', 'end');
      y += 18;
    } else {
      surface.text(0, y + 15, fitted(kind, lane.left - 12), 'name');
      notes.forEach((text, i) => surface.text(surface.width, y + 15 + 22 * i, text, '', 'end'));
    }
    y += row(kind, y, lane);
  }
  return y;
};

/** Nine colours to both sides of 1, which stands for `as`: {style(value), items}. */
const ratioColours = (values, as) => {
  const logs = values.map((value) => Math.abs(Math.log(value))).sort((a, b) => a - b);
  const limit = Math.max(Math.log(1.05), quantile(logs, 0.95));
  const step = (value) => Math.round(4 * Math.max(-1, Math.min(1, Math.log(value) / limit)));
  const text = (at) => at === 0 ? as : ratioText(Math.exp(limit * at / 4));
  return {
    style: (value) => `d${4 + step(value)}`,
    items: [-4, -2, 0, 2, 4].map((at) => [swatch(`d${4 + at}`), text(at)])
  };
};

/** Eight colours, each for as many values. */
const stepColours = (values) => {
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

/**
 * Kinds down, layers across, and a colour for what a mode shows: {label, tensors, value(tensor),
 * colours(values), told(tensor)}. Tensors without a value above 0 are left out. `modesOf()` is asked
 * again by `redraw()`.
 */
const layerMap = ({label, modesOf, find, none}) => {
  let mode;
  const colours = h('div', {});
  const picture = plot({
    label,
    find,
    draw(surface) {
      const cells = mode.tensors.filter((tensor) => known(tensor.layer) && mode.value(tensor) > 0);
      if (!cells.length) {
        surface.text(0, 14, none);
        surface.height = 20;
        return;
      }
      const kinds = inOrder(new Set(cells.map((tensor) => tensor.kind)));
      const byKind = grouped(cells, (tensor) => tensor.kind);
      const {style, items} = mode.colours(cells.map(mode.value));
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
          surface.mark(x, top, width - gap, 20, mode.told(tensor), tensor.name);
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
    const modes = modesOf();
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
