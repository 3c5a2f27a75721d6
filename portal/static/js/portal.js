/* On every page. The portal works without any script; this adds comfort only. */
(() => {
  'use strict';

  /* The error summary takes focus, and its links lead into the field itself. */
  const summary = document.getElementById('summary');
  if (summary) {
    summary.focus();
    summary.addEventListener('click', event => {
      const link = event.target.closest('a');
      const field = link && document.getElementById(link.hash.slice(1));
      if (!field) return;
      event.preventDefault();
      field.focus();
      field.scrollIntoView({ block: 'center' });
    });
  }

  /* A second press within three seconds is ignored. Buttons are never disabled. */
  const sent = new WeakMap();
  document.addEventListener('submit', event => {
    const now = Date.now();
    if (now - (sent.get(event.target) || 0) < 3000) event.preventDefault();
    else sent.set(event.target, now);
  });
  window.addEventListener('pageshow', event => {
    if (event.persisted) for (const form of document.forms) sent.delete(form);
  });

  /* The server speaks of durations; here is the same moment on this person's clock. */
  const clock = new Intl.DateTimeFormat(document.documentElement.lang, { hour: '2-digit', minute: '2-digit' });
  const show = (place, moment) => {
    if (Number.isNaN(+moment)) return;
    place.querySelector('strong').textContent = clock.format(moment);
    place.hidden = false;
  };
  for (const place of document.querySelectorAll('[data-until]')) show(place, new Date(place.dataset.until));
  for (const place of document.querySelectorAll('[data-in]')) show(place, new Date(Date.now() + place.dataset.in * 1000));
})();
