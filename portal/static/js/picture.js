/* Crop of the picture: drag, arrows or slider. `crop` is "x,y,size" in pixels of the picture, and stays empty
   until somebody has chosen a file; without it the server cuts the middle square. */
(() => {
  'use strict';
  const STEP = .04;
  const WAYS = { left: [-STEP, 0], right: [STEP, 0], up: [0, -STEP], down: [0, STEP] };
  const box = document.querySelector('[data-crop]');
  if (!box) return;

  const form = box.closest('form');
  const field = form.querySelector('[name=crop]');
  const file = form.querySelector('[type=file]');
  const stage = box.querySelector('.crop-stage');
  const zoom = box.querySelector('[type=range]');
  const places = [stage, ...form.querySelectorAll('.preview .face')];
  const before = places.map(place => ({ look: place.className, nodes: [...place.childNodes] }));
  let pictures = [];
  let centre = { x: .5, y: .5 };

  /* How many picture pixels the side of the square holds now. */
  const side = () => Math.min(pictures[0].naturalWidth, pictures[0].naturalHeight) / (zoom.value / 100);

  const within = (value, half, whole) => Math.min(1 - half / whole, Math.max(half / whole, value));

  const draw = () => {
    const { naturalWidth: width, naturalHeight: height } = pictures[0];
    const size = side();
    centre = { x: within(centre.x, size / 2, width), y: within(centre.y, size / 2, height) };
    const left = centre.x * width - size / 2;
    const top = centre.y * height - size / 2;
    places.forEach((place, index) => {
      const scale = place.clientWidth / size;
      pictures[index].style.transform = `translate(${-left * scale}px,${-top * scale}px) scale(${scale})`;
    });
    return [left, top, size].map(Math.floor).join();
  };

  const change = () => { field.value = draw(); };

  const move = (x, y) => {
    const size = side();
    centre.x += x * size / pictures[0].naturalWidth;
    centre.y += y * size / pictures[0].naturalHeight;
    change();
  };

  /* Back to what the server printed: no stage, and the previews as they were. */
  const clear = () => {
    box.hidden = true;
    field.value = '';
    pictures = [];
    places.forEach((place, index) => {
      place.className = before[index].look;
      place.replaceChildren(...before[index].nodes);
    });
  };

  /* Puts one picture on the stage and into every preview. */
  const show = address => {
    const next = places.map((place, index) => Object.assign(new Image(), { alt: index ? '' : stage.dataset.alt, draggable: false, className: 'moved' }));
    next[0].addEventListener('load', () => {
      places.forEach((place, index) => {
        place.classList.remove('initials');
        place.replaceChildren(next[index]);
      });
      pictures = next;
      centre = { x: .5, y: .5 };
      zoom.value = 100;
      box.hidden = false;
      change();
    });
    next[0].addEventListener('error', clear);
    for (const picture of next) picture.src = address;
  };

  file.addEventListener('change', () => {
    clear();
    if (file.files[0]) show(URL.createObjectURL(file.files[0]));
  });
  zoom.addEventListener('input', change);
  for (const button of box.querySelectorAll('[data-move]')) button.addEventListener('click', () => move(...WAYS[button.dataset.move]));
  window.addEventListener('resize', () => { if (pictures.length) draw(); });

  let from;
  stage.addEventListener('pointerdown', event => { from = [event.clientX, event.clientY]; stage.setPointerCapture(event.pointerId); });
  stage.addEventListener('pointermove', event => {
    if (!from) return;
    move((from[0] - event.clientX) / stage.clientWidth, (from[1] - event.clientY) / stage.clientWidth);
    from = [event.clientX, event.clientY];
  });
  for (const end of ['pointerup', 'pointercancel']) stage.addEventListener(end, () => { from = null; });
})();
