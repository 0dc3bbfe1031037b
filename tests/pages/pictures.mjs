// Pictures of pages, small, to be compared with those that were looked at.

const SCALE = 0.2;

/** The whole page as it is kept: small, so that the grain of letters does not count. */
export const asReference = async (page) => {
  // Of one font and without the edges of letters, pages are alike wherever that font is.
  await page.run(() => {
    document.activeElement.blur();
    document.body.style.fontFamily = '"DejaVu Sans"';
    return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  });
  return page.picture({scale: SCALE, format: 'webp', quality: 50});
};

/** How much of two pictures differs: the share of blocks whose mean colours are far from another. */
export const difference = (page, one, other) => page.run(async (sources) => {
  const BLOCK = 4;
  const FAR = 20;  // of 255, in any channel
  const images = await Promise.all(sources.map(async (source) => {
    const image = new Image();
    image.src = source;
    await image.decode();
    return image;
  }));
  const [width, height] = ['width', 'height'].map(
      (side) => Math.ceil(Math.max(...images.map((each) => each[side])) / BLOCK));
  const blocks = images.map((image) => {
    const canvas = Object.assign(document.createElement('canvas'), {width, height});
    const context = canvas.getContext('2d');
    context.imageSmoothingQuality = 'high';
    context.drawImage(image, 0, 0, image.width / BLOCK, image.height / BLOCK);
    return context.getImageData(0, 0, width, height).data;
  });
  let far = 0;
  for (let i = 0; i < blocks[0].length; i += 4) {
    if ([0, 1, 2, 3].some((c) => Math.abs(blocks[0][i + c] - blocks[1][i + c]) > FAR)) ++far;
  }
  return far / (width * height);
}, [one, other].map((picture) => `data:image/webp;base64,${picture.toString('base64')}`));
