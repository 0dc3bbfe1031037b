// What a run read and wrote over time, and what it waited for.

const LIMITS = [
  ['disk', 'c5', 'waiting for the disk'], ['cores', 'c3', 'busy cores'],
  ['budget', 'c6', 'waiting for memory']
];

/** Stretches between samples, as many as can be seen: rates in bytes a second, shares of limits. */
const stretchesOf = (samples, most) => {
  const step = Math.ceil(samples.length / most);
  const stretches = [];
  let last = {t: 0, read: 0, written: 0};
  for (let end = step; end <= samples.length; end += step) {
    const within = samples.slice(end - step, end);
    const sample = within[within.length - 1];
    const passed = sample.t - last.t;
    if (passed <= 0) continue;
    const share = (limit) =>
        sum(within,
            (each) => known(each.disk) || known(each.cores) || known(each.budget) ?
                each[limit] || 0 :
                Number(each.limit === limit)) /
        within.length;
    stretches.push({
      begin: last.t,
      end: sample.t,
      read: Math.max(0, sample.read - last.read) / passed,
      written: Math.max(0, sample.written - last.written) / passed,
      shares: LIMITS.map(([limit]) => share(limit))
    });
    last = sample;
  }
  return stretches;
};

const history = (run, most) => plot({
  label: `Throughput of ${run.label} over time, and what limited it`,
  draw(surface) {
    const narrow = surface.width < NARROW;
    const stretches = stretchesOf(run.samples, narrow ? 80 : 200);
    const [top, bottom] = [22, narrow ? 180 : 240];
    const strip = {top: bottom + 14, height: 44};
    surface.height = strip.top + strip.height + 22;
    const unit = 1024 ** Math.floor(Math.log(Math.max(1, most.rate)) / Math.log(1024));
    const y = linearScale(most.rate / unit, bottom, top);
    const left = axisWidth(y);
    const x = (time) => left + time / most.time * (surface.width - left - 4);
    surface.text(0, 12, `${bytesText(unit).split(' ')[1]}/s`);
    for (const tick of y.ticks) {
      surface.line(left, y(tick), surface.width, y(tick));
      surface.text(left - 6, y(tick) + 4, tickText(tick), '', 'end');
    }
    for (const [i, key] of ['read', 'written'].entries()) {
      surface.add('polyline', {
        class: `line s${i}`,
        points: stretches
                    .map(
                        (stretch) =>
                            `${x((stretch.begin + stretch.end) / 2)},${y(stretch[key] / unit)}`)
                    .join(' ')
      });
    }
    for (const stretch of stretches) {
      let at = strip.top;
      const [from, to] = [x(stretch.begin), x(stretch.end)];
      stretch.shares.forEach((share, i) => {
        if (share <= 0) return;
        surface.rect(from, at, to - from + 0.3, share * strip.height, LIMITS[i][1]);
        at += share * strip.height;
      });
      const told = LIMITS.map(([, , meaning], i) => [stretch.shares[i], meaning])
                       .filter(([share]) => share >= 0.005)
                       .map(([share, meaning]) => `${percentText(share)} ${meaning}`);
      surface.mark(
          from, top, to - from, strip.top + strip.height - top,
          `${timeText(stretch.begin)} to ${timeText(stretch.end)}: read ${
              bytesText(stretch.read)}/s, ` +
              `written ${bytesText(stretch.written)}/s; ${told.join(', ')}`);
    }
    surface.text(left, surface.height - 4, '0 s');
    surface.text(surface.width, surface.height - 4, timeText(most.time), '', 'end');
  },
});

/** The section about throughput; none where no run has a history. */
const historySection = (runs) => {
  const with_history = runs.filter((run) => run.samples.length > 1);
  if (!with_history.length) return null;
  const all = with_history.flatMap((run) => stretchesOf(run.samples, 80));
  const most = {
    rate: Math.max(1, ...all.flatMap((each) => [each.read, each.written])),
    time: Math.max(1e-3, ...all.map((each) => each.end))
  };
  return section(
      'history', 'Throughput over time', legend([
        [swatch('c0'), 'read'], [swatch('c1'), 'written'],
        ...LIMITS.map(([, style, meaning]) => [swatch(style), meaning])
      ]),
      with_history.map(
          (run) => [runs.length > 1 ? h('h3', {}, run.label) : [], history(run, most)]));
};
