// Size against foretold divergence: what can be chosen, what was, and what the default mixes are.

// Kinds of points: what they are, colour and shape.
const POINTS = {
  mix: {text: 'a default mix, foretold', slot: 1},
  measured: {text: 'a file, measured', slot: 2},
  chosen: {text: 'this choice, foretold', slot: 3}
};

/** The points of a choice that a logarithmic axis can show: {slot, bytes, divergence, name}. */
const pointsOf = ({mix, measured}) => {
  const all = [
    ...mix.mixes.map((each) => ({...each, ...POINTS.mix})),
    ...measured.map((file) => ({...file, ...POINTS.measured})),
    {name: '', bytes: mix.bytes, divergence: mix.divergence, ...POINTS.chosen}
  ];
  return all.filter((point) => point.divergence > 0);
};

/** Keeps texts apart: `place(x, y, width)` says whether there is room for a line from there on. */
const placer = (surface) => {
  const taken = [];
  const free = (box) => box.left >= 0 && box.right <= surface.width && box.top >= 0 &&
      taken.every(
          (other) => box.right < other.left || box.left > other.right || box.bottom < other.top ||
              box.top > other.bottom);
  return {
    take: (left, top, right, bottom) => taken.push({left, top, right, bottom}),
    place: (x, y, width) => {
      const box = {left: x - 2, right: x + width + 2, top: y - 11, bottom: y + 4};
      return free(box) && Boolean(taken.push(box));
    }
  };
};

/** Names points where there is room for it: to the right, the left, above or below. */
const namePoints = (surface, places, points, xOf, yOf) => {
  for (const point of points) {
    const [x, y, width] = [xOf(point), yOf(point), textWidth(point.name)];
    const spots = [
      [x + 10, y + 4], [x - 10 - width, y + 4], [x - width / 2, y - 12], [x - width / 2, y + 19]
    ];
    const spot = point.name && spots.find(([left, line]) => places.place(left, line, width));
    if (spot) surface.text(...spot, point.name, 'name');
  }
};

/** The best choices as a line, through as many of them as can be told apart. */
const drawFrontier = (surface, places, choices, x, y) => {
  const shown = [];
  for (const choice of choices) {
    const last = shown[shown.length - 1];
    const [px, py] = [x(choice), y(choice)];
    if (last && Math.hypot(px - last.px, py - last.py) < 3 &&
        choice !== choices[choices.length - 1])
      continue;
    shown.push({px, py, choice});
  }
  surface.add(
      'polyline', {class: 'line s0', points: shown.map(({px, py}) => `${px},${py}`).join(' ')});
  for (const {px, py, choice} of shown) {
    places.take(px, py, px, py);
    surface.mark(
        px - 2, py - 2, 4, 4,
        `${bytesText(choice.bytes)}: ${
            numberText(choice.divergence)} foretold for the best choice`);
  }
};

/** What line and shapes mean, in rows; returns where they end. */
const drawLegend = (surface, points) => {
  const used = new Set(points.map((point) => point.slot));
  let [x, y] = [0, 12];
  const add = (text, draw) => {
    const width = 16 + textWidth(text);
    if (x > 0 && x + width > surface.width) [x, y] = [0, y + 20];
    draw();
    surface.text(x + 16, y, text);
    x += width + 18;
  };
  add('the best choice of each size, foretold',
      () => surface.line(x, y - 4, x + 12, y - 4, 'line s0'));
  for (const {text, slot} of Object.values(POINTS).filter((kind) => used.has(kind.slot)))
    add(text, () => surface.shape(x + 6, y - 4, slot, `c${slot}`));
  return y;
};

/**
 * Draws axes for points between two lines.
 * @returns {x(point), y(point), left}: where points are, and where the picture begins
 */
const drawAxes = (surface, points, top, bottom) => {
  const range = (value) => [Math.min(...points.map(value)), Math.max(...points.map(value))];
  const bytes = (point) => Math.max(1, point.bytes);
  const unit = 1024 ** Math.floor(Math.log(Math.max(...points.map(bytes))) / Math.log(1024));
  const yScale = logScale(...range((point) => point.divergence), bottom, top, 24);
  const left = axisWidth(yScale);
  const xScale =
      logScale(...range((point) => bytes(point) / unit), left + 8, surface.width - 8, 48);
  surface.text(0, top - 14, 'KL divergence');
  for (const tick of yScale.ticks) {
    surface.line(left, yScale(tick), surface.width, yScale(tick));
    surface.text(left - 6, yScale(tick) + 4, tickText(tick), '', 'end');
  }
  for (const tick of xScale.ticks) {
    surface.line(xScale(tick), top, xScale(tick), bottom);
    surface.label(xScale(tick), bottom + 18, tickText(tick));
  }
  surface.text(surface.width, bottom + 33, `size in ${bytesText(unit).split(' ')[1]}`, '', 'end');
  return {x: (point) => xScale(bytes(point) / unit), y: (point) => yScale(point.divergence), left};
};

const drawPoint = (surface, point, x, y) => {
  surface.shape(x, y, point.slot, `c${point.slot}`, 5);
  const what = point.name ? `${point.name}, ${point.text}` : point.text;
  surface.mark(
      x - 5, y - 5, 10, 10, `${what}: ${bytesText(point.bytes)}, ${numberText(point.divergence)}`);
};

const frontier = (choice) => plot({
  label: 'Size of the best choices against their foretold divergence',
  saved: 'frontier.svg',
  draw(surface) {
    const choices = choice.mix.frontier.filter((point) => point.divergence > 0);
    const points = pointsOf(choice);
    if (!choices.length && !points.length) {
      surface.text(0, 14, 'No divergence is above 0.');
      surface.height = 20;
      return;
    }
    const top = drawLegend(surface, points) + 42;
    const bottom = top + (surface.width < NARROW ? 270 : 410);
    surface.height = bottom + 36;
    const {x, y, left} = drawAxes(surface, [...choices, ...points], top, bottom);
    const places = placer(surface);
    places.take(0, 0, surface.width, top - 10);
    places.take(0, 0, left, surface.height);
    places.take(0, bottom + 4, surface.width, surface.height);
    drawFrontier(surface, places, choices, x, y);
    for (const point of points) {
      places.take(x(point) - 7, y(point) - 7, x(point) + 7, y(point) + 7);
      drawPoint(surface, point, x(point), y(point));
    }
    namePoints(surface, places, points, x, y);
  },
});

/** The section about sizes that can be chosen. */
const frontierSection = (choice) => section(
    'frontier', 'Size and divergence',
    h('p', {},
      'The line is the least divergence that is foretold for each size. Divergence is the mean ' +
          'KL divergence of the next token\'s probabilities from those of the model, in nats: ' +
          'lower is better.'),
    frontier(choice));
