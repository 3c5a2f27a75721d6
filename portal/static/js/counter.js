/* Characters left while typing, counted as the server counts them: by code points. */
(() => {
  'use strict';
  for (const area of document.querySelectorAll('textarea[data-limit]')) {
    const note = document.getElementById(`${area.id}-left`);
    const update = () => {
      const left = area.dataset.limit - [...area.value].length;
      note.textContent = (left < 0 ? note.dataset.over : note.dataset.left).replace('{count}', Math.abs(left));
    };
    note.hidden = false;
    area.addEventListener('input', update);
    update();
  }
})();
