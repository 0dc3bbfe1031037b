// Elements, numbers in words, and controls.

/**
 * Makes elements of a name space: `h("p", {class: "note", onclick: f}, "text", child)`. What is
 * appended is a node or text, so no name of a tensor can become markup.
 */
const maker = (create) => (name, attributes = {}, ...children) => {
  const made = create(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === 'function')
      made.addEventListener(key.slice(2), value);
    else
      made.setAttribute(key, value === true ? '' : value);
  }
  made.append(...children.flat(Infinity).filter((child) => child || child === 0));
  return made;
};
const h = maker((name) => document.createElement(name));
const svg = maker((name) => document.createElementNS('http://www.w3.org/2000/svg', name));

const bytesText = (bytes) => {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  for (; bytes >= 1024 && unit + 1 < units.length; ++unit) bytes /= 1024;
  return `${bytes.toFixed(unit ? 1 : 0)} ${units[unit]}`;
};

const timeText = (seconds) => {
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const whole = Math.round(seconds);
  const two = (number) => String(Math.floor(number)).padStart(2, '0');
  return whole < 3600 ? `${Math.floor(whole / 60)}:${two(whole % 60)}` :
                        `${Math.floor(whole / 3600)}:${two(whole / 60 % 60)}:${two(whole % 60)}`;
};

const percentText = (share) =>
    share > 0 && share < 5e-4 ? '< 0.1 %' : `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`;
const countText = (count) => count.toLocaleString('en');
const known = (value) => value !== undefined && value !== null;
/** Three digits; those of an axis as short as they can be. */
const numberText = (value) => value === 0 ? '0' :
    value < 1e-4                          ? value.toExponential(2) :
                                            value.toPrecision(3);
const tickText = (value) => value && (value < 1e-4 || value >= 1e6) ?
    Number(value.toPrecision(3)).toExponential().replace('+', '') :
    String(Number(value.toPrecision(3)));
const ratioText = (ratio) =>
    ratio >= 1 ? `× ${ratio.toPrecision(3)}` : `÷ ${(1 / ratio).toPrecision(3)}`;

const sum = (list, value) => list.reduce((all, each) => all + value(each), 0);

/** The value below which a share of the sorted values lies. */
const quantile = (sorted, share) => {
  const at = share * (sorted.length - 1);
  const low = sorted[Math.floor(at)];
  return low + (sorted[Math.ceil(at)] - low) * (at - Math.floor(at));
};
const median = (values) => quantile([...values].sort((a, b) => a - b), 0.5);

/** Elements by what `key` says of them, in the order in which each key is first met. */
const grouped = (list, key) => {
  const groups = new Map();
  for (const each of list) {
    const name = key(each);
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(each);
  }
  return groups;
};

/** A part of the page, with its place in the list of parts. */
const section = (id, title, ...content) =>
    h('section', {class: 'panel', id}, h('h2', {}, title), content);

/** A choice among a few: options are [value, text]. */
const choice = (label, options, chosen) => {
  const select =
      h('select', {onchange: () => chosen(select.value)},
        options.map(([value, text]) => h('option', {value}, text)));
  return h('label', {class: 'control'}, `${label} `, select);
};

/** A list of colours or marks, with what they mean: [drawing, text]. */
const legend = (items) =>
    h('ul', {class: 'legend'}, items.map(([drawing, text]) => h('li', {}, drawing, text)));
const swatch = (style) => h('span', {class: `swatch ${style}`, 'aria-hidden': 'true'});
