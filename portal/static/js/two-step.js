/* Copy and Print, where a browser can. The text stands on the page and can be selected without them. */
(() => {
  'use strict';
  const SECOND = 1000;
  const lines = place => {
    const items = [...place.querySelectorAll('li')];
    return (items.length ? items : [place]).map(each => each.textContent.trim()).join('\n');
  };
  if (navigator.clipboard) for (const button of document.querySelectorAll('[data-copy]')) {
    const words = button.textContent;
    button.hidden = false;
    button.addEventListener('click', async () => {
      try {
        await navigator.clipboard.writeText(lines(document.getElementById(button.dataset.copy)));
      } catch (error) {
        return; /* The browser does not let us: the text can still be selected. */
      }
      button.textContent = button.dataset.done;
      setTimeout(() => { button.textContent = words; }, 3 * SECOND);
    });
  }
  for (const button of document.querySelectorAll('[data-print]')) {
    button.hidden = false;
    button.addEventListener('click', () => print());
  }
})();
