// Pictures: as wide as their place, drawn anew when that changes, read with mouse, finger or keys.

const measure = document.createElement('canvas').getContext('2d');

/** A text's width in a picture, in pixels. */
const textWidth = (text) => {
  measure.font = `12px ${getComputedStyle(document.body).fontFamily}`;
  return measure.measureText(text).width;
};

/** As much of a text as fits. */
const fitted = (text, width) => {
  if (textWidth(text) <= width) return text;
  let end = text.length;
  while (end > 0 && textWidth(`${text.slice(0, end)}…`) > width) --end;
  return `${text.slice(0, end)}…`;
};

/** Maps values of a logarithmic axis to pixels; `ticks` are round, and `apart` pixels or more. */
const logScale = (least, most, from, to, apart) => {
  const low = Math.log10(least) - 0.03;
  const high = Math.max(Math.log10(most) + 0.03, low + 0.2);
  const at = (value) => from + (Math.log10(value) - low) / (high - low) * (to - from);
  const rounder = [[1, 1.5, 2, 3, 5, 7], [1, 2, 5], [1, 3], [1]].map((digits) => {
    const ticks = [];
    for (let power = Math.floor(low); power <= high; ++power) {
      for (const digit of digits) ticks.push(Number(`${digit}e${power}`));
    }
    return ticks.filter((tick) => Math.log10(tick) >= low && Math.log10(tick) <= high);
  });
  const free = (ticks) =>
      ticks.every((tick, i) => i === 0 || Math.abs(at(tick) - at(ticks[i - 1])) >= apart);
  const powers = rounder[rounder.length - 1];
  const step = Math.ceil(powers.length * apart / Math.abs(to - from));
  let ticks = rounder.find(free) || powers.filter((tick, i) => i % step === 0);
  // Values that are near to one another have no round number between them.
  if (!ticks.length) ticks = [Number(Math.sqrt(least * most).toPrecision(2))];
  return Object.assign(at, {ticks});
};

/** The same for an axis from 0 on. */
const linearScale = (most, from, to) => {
  const rough = most / 4 || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((digit) => digit * power).find((each) => each >= rough);
  const top = Math.ceil(most / step - 1e-9) * step || step;
  const ticks = [];
  for (let i = 0; i * step <= top * 1.0001; ++i) ticks.push(i * step);
  return Object.assign((value) => from + value / top * (to - from), {ticks});
};

/** The room that an upright axis needs. */
const axisWidth = (scale) => 10 + Math.max(...scale.ticks.map((tick) => textWidth(tickText(tick))));

/** Whole numbers for an axis: as many of `count` as have room, each `size` pixels wide. */
const everyNth = (count, width, size) => {
  const step = [1, 2, 5, 10, 20, 50, 100, 200].find((each) => count / each * size <= width) || 500;
  return Array.from({length: Math.ceil(count / step)}, (_, i) => i * step);
};

/** What is drawn on: pixels are pixels. */
class Surface {
  constructor(width) {
    this.width = width;
    this.height = 0;
    this.nodes = [];
    this.marks = [];
  }

  add(name, attributes, ...children) { this.nodes.push(svg(name, attributes, ...children)); }

  text(x, y, text, style = '', anchor = 'start') {
    this.add('text', {x, y, class: style, 'text-anchor': anchor}, text);
  }

  /** A number below its place on an axis, but never beyond the edge. */
  label(x, y, text) {
    const half = textWidth(text) / 2;
    this.text(Math.max(half, Math.min(this.width - half, x)), y, text, '', 'middle');
  }

  line(x1, y1, x2, y2, style = 'grid') { this.add('line', {x1, y1, x2, y2, class: style}); }

  rect(x, y, width, height, style) {
    this.add('rect', {x, y, width: Math.max(0, width), height, class: style});
  }

  /** One of four shapes, each as large to the eye. */
  shape(x, y, kind, style, r = 4) {
    const d = [
      `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${- 2 * r} 0z`,
      `M${x - r} ${y - r}h${2 * r}v${2 * r}h${- 2 * r}z`,
      `M${x} ${y - 1.3 * r}l${1.3 * r} ${2.3 * r}h${- 2.6 * r}z`,
      `M${x} ${y - 1.4 * r}l${1.4 * r} ${1.4 * r}l${- 1.4 * r} ${1.4 * r}l${- 1.4 * r} ${
          - 1.4 * r}z`
    ];
    this.add('path', {d: d[kind % 4], class: `mark ${style}`});
  }

  /** What can be pointed at: a box, what is told of it, and the tensor that it stands for. */
  mark(x, y, width, height, told, tensor) {
    this.marks.push({x, y, width, height, told, tensor, cx: x + width / 2, cy: y + height / 2});
  }
}

// The mark that an arrow key leads to: the nearest in that direction, aside counting thrice.
const neighbour = (marks, from, dx, dy) => {
  let best;
  let least = Infinity;
  for (const mark of marks) {
    const along = (mark.cx - from.cx) * dx + (mark.cy - from.cy) * dy;
    if (along < 0.5) continue;
    const aside = Math.abs((mark.cx - from.cx) * dy) + Math.abs((mark.cy - from.cy) * dx);
    if (along + 3 * aside < least) [best, least] = [mark, along + 3 * aside];
  }
  return best;
};

const distance = (mark, x, y) => Math.hypot(
    Math.max(mark.x - x, 0, x - mark.x - mark.width),
    Math.max(mark.y - y, 0, y - mark.y - mark.height));

const ARROWS = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1]
};

/** A picture as a file of its own: with what of the page's style it uses, light or dark. */
const pictureFile = (shown, label) => {
  const MARGIN = 12;
  const picture = shown.cloneNode(true);
  for (const name of [...picture.getAttributeNames()]) picture.removeAttribute(name);
  const {width, height} = shown.viewBox.baseVal;
  const box = {x: -MARGIN, y: -MARGIN, width: width + 2 * MARGIN, height: height + 2 * MARGIN};
  picture.querySelector('.ring').remove();
  const used = (rule) => rule.media ? rule.conditionText.includes('color-scheme') :
                                      rule.selectorText === ':root' ||
          rule.selectorText !== '*' && shown.querySelector(rule.selectorText);
  const rules = [...document.styleSheets[0].cssRules].filter(used).map((rule) => rule.cssText);
  picture.setAttribute('viewBox', Object.values(box).join(' '));
  picture.setAttribute('role', 'img');
  picture.setAttribute('font-family', getComputedStyle(document.body).fontFamily);
  picture.prepend(
      svg('title', {}, label), svg('style', {}, rules.join('\n')),
      svg('rect', {...box, style: 'fill: var(--panel)'}));
  return new XMLSerializer().serializeToString(picture);
};

const save = (text, name) => {
  const url = URL.createObjectURL(new Blob([text], {type: 'image/svg+xml'}));
  h('a', {href: url, download: name}).click();
  URL.revokeObjectURL(url);
};

/**
 * A picture and the line that tells of the mark pointed at. `draw(surface)` sets the surface's
 * height; `find(tensor)` shows a tensor elsewhere on the page; `saved` is the name of the file that
 * the picture can be saved as.
 * @returns an element with `redraw()`
 */
const plot = ({label, draw, find, saved}) => {
  const hint = 'Point at a mark, tap it, or go from mark to mark with the arrow keys.';
  const told = h('span', {}, hint);
  const shown = h(
      'button', {type: 'button', hidden: true, onclick: () => find(active.tensor)}, 'In the table');
  const place = h('div', {class: 'plot'});
  const saving = saved &&
      h('button',
        {type: 'button', onclick: () => save(pictureFile(place.firstChild, label), saved)},
        'Save the picture');
  const figure =
      h('figure', {}, h('figcaption', {class: 'told', 'aria-live': 'polite'}, told, ' ', shown),
        place, saving || []);
  let surface;
  let active;
  let ring;

  const activate = (mark) => {
    active = mark;
    told.textContent = mark ? mark.told : hint;
    shown.hidden = !(mark && mark.tensor && find);
    for (const [key, grow] of [['x', -2], ['y', -2], ['width', 4], ['height', 4]]) {
      ring.setAttribute(key, mark ? mark[key] + grow : 0);
    }
    ring.classList.toggle('active', Boolean(mark));
  };

  const point = (event) => {
    const box = place.firstChild.getBoundingClientRect();
    const x = (event.clientX - box.left) * surface.width / box.width;
    const y = (event.clientY - box.top) * surface.height / box.height;
    let best;
    let least = 24;
    for (const mark of surface.marks) {
      const far = distance(mark, x, y);
      if (far < least) [best, least] = [mark, far];
    }
    if (best && best !== active) activate(best);
  };

  const key = (event) => {
    const marks = surface.marks;
    if (event.key === 'Escape')
      activate(undefined);
    else if (event.key === 'Home')
      activate(marks[0]);
    else if (event.key === 'End')
      activate(marks[marks.length - 1]);
    else if (event.key === 'Enter' && active && active.tensor && find)
      find(active.tensor);
    else if (ARROWS[event.key])
      activate(active ? neighbour(marks, active, ...ARROWS[event.key]) || active : marks[0]);
    else
      return;
    event.preventDefault();
  };

  const redraw = () => {
    const width = Math.floor(place.clientWidth);
    if (!width) return;
    surface = new Surface(width);
    draw(surface);
    ring = svg('rect', {class: 'ring'});
    place.replaceChildren(
        svg('svg', {
          viewBox: `0 0 ${width} ${surface.height}`,
          tabindex: surface.marks.length ? 0 : null,
          role: surface.marks.length ? 'application' : 'img',
          'aria-label': label,
          'aria-roledescription': 'picture',
          onpointermove: point,
          onpointerdown: point,
          onkeydown: key,
        },
            surface.nodes, ring));
    activate(undefined);
  };

  new ResizeObserver(() => {
    if (!surface || Math.floor(place.clientWidth) !== surface.width) redraw();
  }).observe(place);
  return Object.assign(figure, {redraw});
};
