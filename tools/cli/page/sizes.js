// Sizes, as ncdu shows those of folders: what is largest comes first, and opens.

// Ways to divide a model: each gives the path of a tensor in it.
const DIVISIONS = {
  kind: (tensor) => [tensor.group, tensor.kind, tensor.name],
  layer: (tensor) => known(tensor.layer) ? [`layer ${tensor.layer}`, tensor.name] : [tensor.name],
  type: (tensor) => [tensor.type, tensor.kind, tensor.name],
};

/** Colours of types, by falling size over all runs; the eighth is for all that come after. */
const typeColours = (runs) => {
  const all = grouped(runs.flatMap((run) => run.tensors), (tensor) => tensor.type);
  const types = [...all.keys()].sort(
      (a, b) => sum(all.get(b), (each) => each.bytes) - sum(all.get(a), (each) => each.bytes));
  const style = (type) => `c${Math.min(7, types.indexOf(type))}`;
  const items = types.slice(0, 8).map(
      (type, i) => [swatch(style(type)), i === 7 && types.length > 8 ? 'other types' : type]);
  return {types, style, items};
};

/**
 * The section about sizes. Runs are {label, tensors}; of several, each entry has a bar for each.
 * @param first  the division to begin with
 */
const sizeSection = (runs, first, find) => {
  const STEP = 16;
  const colours = typeColours(runs);
  let divide = DIVISIONS[first];
  let path = [];
  let limit = STEP;
  const list = h('ol', {class: 'sizes'});
  const trail = h('nav', {class: 'trail', 'aria-label': 'Where in the model'});
  const more = h('button', {type: 'button', onclick: () => show(path, Infinity)});

  // What lies at the path, by the next word of their paths: [name, tensors of each run].
  const entries = () => {
    const names = new Map();
    runs.forEach((run, i) => {
      for (const tensor of run.tensors) {
        const words = divide(tensor);
        if (words.length <= path.length || path.some((word, at) => words[at] !== word)) continue;
        const name = words[path.length];
        if (!names.has(name))
          names.set(name, {leaf: words.length === path.length + 1, runs: runs.map(() => [])});
        names.get(name).runs[i].push(tensor);
      }
    });
    const size = (tensors) => sum(tensors, (tensor) => tensor.bytes);
    const rows = [...names].map(([name, {leaf, runs: of}]) => ({
                                  name,
                                  leaf,
                                  of,
                                  sizes: of.map(size),
                                  types: of.map((tensors) => grouped(tensors, (each) => each.type))
                                }));
    return rows.sort((a, b) => Math.max(...b.sizes) - Math.max(...a.sizes));
  };

  const bar = (entry, i, largest, whole) =>
      h('span', {class: 'bar-row'},
        h('span', {class: 'bar', 'aria-hidden': 'true'},
          colours.types.filter((type) => entry.types[i].has(type))
              .map((type) => h('span', {
                     class: colours.style(type),
                     style: `width: ${
                         100 * sum(entry.types[i].get(type), (each) => each.bytes) / largest}%`
                   }))),
        h('span', {class: 'number'}, bytesText(entry.sizes[i])),
        h('span', {class: 'number share'}, percentText(entry.sizes[i] / (whole[i] || 1))));

  const show =
      (to, most, focus) => {
        path = to;
        limit = most;
        const rows = entries();
        const largest = Math.max(1, ...rows.flatMap((entry) => entry.sizes));
        const whole = runs.map((run, i) => sum(rows, (entry) => entry.sizes[i]));
        const count = (entry) => Math.max(...entry.of.map((tensors) => tensors.length));
        list.replaceChildren(...rows.slice(0, limit).map((entry) => h('li', {},
        h('button', {type: 'button', class: 'entry',
          onclick: () => entry.leaf ? find(entry.name) : show([...path, entry.name], STEP, true)},
        h('span', {class: 'name'}, entry.name, h('small', {}, entry.leaf
            ? ` ${[...new Set(entry.types.flatMap((types) => [...types.keys()]))].join(', ')}`
            : ` ${countText(count(entry))} tensor${count(entry) === 1 ? '' : 's'} ›`)),
        h('span', {class: 'bars'}, runs.map((run, i) => bar(entry, i, largest, whole)))))));
        trail.replaceChildren(...['all', ...path].map(
            (name, i) =>
                h('button', {
                  type: 'button',
                  'aria-current': i === path.length && 'location',
                  onclick: () => show(path.slice(0, i), STEP)
                },
                  name)));
        more.hidden = rows.length <= limit;
        more.textContent = `Show all ${countText(rows.length)}`;
        if (focus && list.querySelector('button')) list.querySelector('button').focus();
      };

  // Up and down go through the entries; left and Backspace go back, as in a list of folders.
  list.addEventListener('keydown', (event) => {
    const buttons = [...list.querySelectorAll('button')];
    const at = buttons.indexOf(document.activeElement);
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      const next = buttons[at + (event.key === 'ArrowDown' ? 1 : -1)];
      if (next) next.focus();
    } else if ((event.key === 'ArrowLeft' || event.key === 'Backspace') && path.length) {
      show(path.slice(0, -1), STEP, true);
    } else if (event.key === 'ArrowRight' && at >= 0) {
      buttons[at].click();
    } else {
      return;
    }
    event.preventDefault();
  });

  show([], STEP);
  const divisions = [first, ...Object.keys(DIVISIONS).filter((name) => name !== first)];
  return section(
      'sizes', 'Sizes',
      h('p', {},
        'Choose an entry to see what is in it, and a tensor to find it in the table.' +
            (runs.length > 1 ? ` Bars are of ${runs.map((run) => run.label).join(', then ')}.` :
                               '')),
      h('div', {class: 'controls'},
        choice(
            'Divided by', divisions.map((name) => [name, name]),
            (name) => {
              divide = DIVISIONS[name];
              show([], STEP);
            })),
      legend(colours.items), trail, list, more);
};
