// Errors of chosen kinds, layer by layer.

/** Chosen kinds: each has a colour and a shape of its own; runs after the first are dashed. */
const layerLines = (state, find) => {
  const all = state.runs.flatMap((run) => run.shown).filter((tensor) => known(tensor.layer));
  const kinds = inOrder(new Set(all.map((tensor) => tensor.kind)));
  if (!kinds.length) return h('p', {}, 'No tensor of a layer has an error.');
  const groups = grouped(kinds, groupOf);
  const slots = new Array(SLOTS).fill(undefined);
  const chooseGroup = (group) => slots.fill(undefined).splice(
      0, SLOTS, ...Array.from({length: SLOTS}, (_, i) => groups.get(group)[i]));
  chooseGroup(groups.has('attention') ? 'attention' : groups.keys().next().value);
  const picture = plot({
    label: 'Errors of the chosen kinds, layer by layer',
    find,
    draw(surface) {
      const narrow = surface.width < NARROW;
      const bottom = narrow ? 260 : 340;
      surface.height = bottom + 36;
      const lines =
          state.runs
              .flatMap(
                  (run, i) => slots.map(
                      (kind, slot) => ({
                        slot,
                        dashed: i > 0,
                        points: run.shown.filter((each) => each.kind === kind && known(each.layer))
                                    .sort((a, b) => a.layer - b.layer)
                      })))
              .filter((line) => line.points.length);
      const errors = lines.flatMap((line) => line.points).map((point) => point.error);
      if (!errors.length) return surface.text(0, 40, 'Choose kinds above.');
      const y = logScale(Math.min(...errors), Math.max(...errors), bottom, 10, 24);
      const left = axisWidth(y);
      const layers = Math.max(...all.map((tensor) => tensor.layer)) + 1;
      const x = (layer) => left + 8 + (layer + 0.5) / layers * (surface.width - left - 16);
      for (const tick of y.ticks) {
        surface.line(left, y(tick), surface.width, y(tick));
        surface.text(left - 6, y(tick) + 4, tickText(tick), '', 'end');
      }
      for (const layer of everyNth(layers, surface.width - left, 30)) {
        surface.label(x(layer), bottom + 18, layer);
      }
      surface.text(surface.width, bottom + 33, 'layer', '', 'end');
      for (const {slot, dashed, points} of lines) {
        surface.add('polyline', {
          class: `line s${slot} ${dashed ? 'dashed' : ''}`,
          points: points.map((point) => `${x(point.layer)},${y(point.error)}`).join(' ')
        });
      }
      for (const {slot, points} of lines) {
        for (const point of points) {
          const [px, py] = [x(point.layer), y(point.error)];
          surface.shape(px, py, slot, `c${slot}`, layers > 40 || narrow ? 2.6 : 4);
          surface.mark(px - 4, py - 4, 8, 8, toldOf(point, state.runs.length > 1), point.name);
        }
      }
    },
  });
  const chips = h('div', {class: 'chips', role: 'group', 'aria-label': 'Kinds to show'});
  const toggle = (kind) => {
    const at = slots.indexOf(kind);
    const free = slots.indexOf(undefined);
    if (at >= 0)
      slots[at] = undefined;
    else
      slots[free < 0 ? SLOTS - 1 : free] = kind;
    renew();
  };
  const renew = () => {
    chips.replaceChildren(...[...groups].map(
        ([group, members]) =>
            h('div', {},
              h('button', {
                type: 'button',
                class: 'group',
                onclick: () => {
                  chooseGroup(group);
                  renew();
                }
              },
                group),
              members.map(
                  (kind) =>
                      h('button', {
                        type: 'button',
                        class: 'chip',
                        'aria-pressed': String(slots.includes(kind)),
                        onclick: () => toggle(kind)
                      },
                        slots.includes(kind) && keyOf(slots.indexOf(kind)), kind)))));
    picture.redraw();
  };
  renew();
  return Object.assign(h('div', {}, chips, picture), {redraw: () => picture.redraw()});
};

/** The mark of a slot, for a legend. */
const keyOf = (slot) => {
  const surface = new Surface(12);
  surface.shape(6, 6, slot, `c${slot}`);
  return svg('svg', {viewBox: '0 0 12 12', class: 'key', 'aria-hidden': 'true'}, surface.nodes);
};
