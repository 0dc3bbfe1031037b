// What is wrong with a page as it is shown. Runs in the page.

export const faults = () => {
  const found = [];
  const wide = document.documentElement.clientWidth;
  const say = (what, element) => {
    const text = (element.textContent || element.getAttribute('class') || '').trim().slice(0, 50);
    found.push(`${what}: <${element.tagName.toLowerCase()}> ${text}`);
  };
  const shown = (element) => element.checkVisibility({visibilityProperty: true});
  const all = [...document.querySelectorAll('body *')].filter(shown);

  // Nothing is wider than the window, and no text is cut off.
  if (document.documentElement.scrollWidth > wide) found.push('the page is wider than the window');
  const textsIn = (element) => [...element.childNodes].filter(
      (node) => node.nodeType === 3 && node.data.trim());
  const boxesOf = (node) => {
    const range = document.createRange();
    range.selectNodeContents(node);
    return [...range.getClientRects()];
  };
  for (const element of all) {
    if (['SCRIPT', 'STYLE', 'OPTION', 'NOSCRIPT'].includes(element.tagName)) continue;
    const box = element.getBoundingClientRect();
    if (box.left < -0.5 || box.right > wide + 0.5) say('is outside of the window', element);
    for (const text of textsIn(element).flatMap(boxesOf)) {
      if (text.left < -0.5 || text.right > wide + 0.5)
        say('has text outside of the window', element);
      else if (
          !element.closest('svg') && text.right > box.right + 1 &&
          getComputedStyle(element).display !== 'inline') {
        say('has text outside of its box', element);
      }
    }
    const style = getComputedStyle(element);
    if (style.overflowX !== 'visible' && element.tagName !== 'svg' &&
        element.scrollWidth > element.clientWidth + 1) {
      say('cuts off what is in it', element);
    }
  }

  // Pictures are as wide as their place; what they show lies within, and no text on another.
  for (const picture of document.querySelectorAll('.plot > svg')) {
    const whole = picture.getBoundingClientRect();
    if (whole.width < picture.closest('section').clientWidth - 40)
      say('is not as wide as the page', picture);
    const texts = [];
    for (const element of picture.querySelectorAll('*')) {
      if (element.matches('.ring')) continue;
      const box = element.getBoundingClientRect();
      if (box.left < whole.left - 1 || box.right > whole.right + 1 || box.top < whole.top - 1 ||
          box.bottom > whole.bottom + 1)
        say(`is outside of its picture (${picture.getAttribute('aria-label')})`, element);
      if (element.tagName === 'text') {
        for (const other of texts) {
          if (box.left < other.right - 1 && box.right > other.left + 1 &&
              box.top < other.bottom - 3 && box.bottom > other.top + 3)
            say('is written over another text', element);
        }
        texts.push(box);
      }
    }
    if (!picture.getAttribute('aria-label')) say('has no name', picture);
    if (picture.getAttribute('role') === 'application' && picture.tabIndex !== 0)
      say('cannot be reached by keys', picture);
  }

  // Contrast, by WCAG 2: text 4.5, large text 3, marks 3.
  const colour = (text) => text.match(/[\d.]+/g).map(Number);
  const light = (channels) =>
      channels.slice(0, 3)
          .map((c) => c / 255)
          .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
          .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const contrast = (a, b) => {
    const [low, high] = [light(a), light(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  };
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const background = colour(getComputedStyle(each).backgroundColor);
      if (background.length < 4 || background[3] === 1) return background;
    }
    return [255, 255, 255];
  };
  for (const element of all) {
    if (!textsIn(element).length || ['SCRIPT', 'STYLE', 'NOSCRIPT'].includes(element.tagName))
      continue;
    const style = getComputedStyle(element);
    const ink = colour(element.closest('svg') ? style.fill : style.color);
    const size = parseFloat(style.fontSize);
    const needed = size >= 24 || (size >= 18.7 && style.fontWeight >= 600) ? 3 : 4.5;
    if (contrast(ink, behind(element)) < needed)
      say(`has little contrast (${contrast(ink, behind(element)).toFixed(1)})`, element);
  }
  for (const mark of document.querySelectorAll(
           'svg .mark, .legend .swatch:is(.c0,.c1,.c2,.c3,.c4,.c5,.c6,.c7)')) {
    if (contrast(
            colour(getComputedStyle(mark).fill),
            behind(mark.closest('svg') || mark.parentElement)) < 3)
      say('is hardly seen', mark);
  }
  for (const control of document.querySelectorAll('button, select, input')) {
    if (!shown(control)) continue;
    if (control.getBoundingClientRect().height < 24) say('is too small for a finger', control);
    if (!(control.textContent.trim() || control.getAttribute('aria-label')))
      say('has no name', control);
  }

  // Structure: one h1, no level left out, captions, heads of rows and columns, names used once.
  let level = 0;
  for (const head of document.querySelectorAll('h1, h2, h3, h4')) {
    if (Number(head.tagName[1]) > level + 1) say('leaves out a level', head);
    level = Number(head.tagName[1]);
  }
  if (document.querySelectorAll('h1').length !== 1) found.push('has not one h1');
  for (const table of document.querySelectorAll('table')) {
    if (!table.caption) say('has no caption', table);
    if (table.querySelector('th:not([scope])')) say('has a head without scope', table);
  }
  const ids = [...document.querySelectorAll('[id]')].map((element) => element.id);
  if (new Set(ids).size !== ids.length) found.push('uses an id twice');
  for (const link of document.querySelectorAll('a[href^="#"]')) {
    if (!document.getElementById(link.hash.slice(1))) say('leads nowhere', link);
  }
  for (const element of document.querySelectorAll('[src], [href]:not([href^="#"])'))
    say('loads something', element);
  return [...new Set(found)];
};
