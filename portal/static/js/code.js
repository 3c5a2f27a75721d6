/* Pages with a code: the ring, the wait for the message, a clean paste. The server's clock decides;
   when the ring reaches nought nothing is disabled. */
(() => {
  'use strict';
  const SECOND = 1000;
  const POLL_FOR = 10 * 60 * SECOND;
  const box = document.querySelector('[data-countdown]');
  if (!box) return;

  const line = document.getElementById('code-time');
  const say = box.querySelector('[data-say]');
  const ring = box.querySelector('.count');
  const arc = ring.querySelector('.count-arc');
  const [number, unit] = ring.querySelectorAll('.count-num > *');
  const hide = box.querySelector('button[data-hide]');
  const clock = new Intl.DateTimeFormat(document.documentElement.lang, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
  let timer;

  /* Over 99 seconds whole minutes are shown, so that the figure stays readable. */
  const draw = (left, total) => {
    const minutes = left > 99;
    number.textContent = minutes ? Math.ceil(left / 60) : left;
    unit.textContent = minutes ? ring.dataset.min : ring.dataset.sec;
    arc.setAttribute('stroke-dasharray', `${left} ${total}`);
  };

  const runOut = () => {
    clearInterval(timer);
    ring.classList.add('is-out');
    line.textContent = line.dataset.over;
    say.textContent = line.dataset.over;
  };

  const start = (seconds, total) => {
    const end = Date.now() + seconds * SECOND;
    arc.setAttribute('pathLength', total);
    line.textContent = line.dataset.at.replace('{time}', clock.format(end));
    const tick = () => {
      const left = Math.max(0, Math.ceil((end - Date.now()) / SECOND));
      draw(left, total);
      if (left === 10) say.textContent = line.dataset.ten;
      if (left === 0) runOut();
    };
    clearInterval(timer);
    ring.classList.remove('is-out');
    ring.hidden = false;
    hide.hidden = false;
    timer = setInterval(tick, SECOND);
    tick();
  };

  hide.addEventListener('click', () => {
    ring.hidden = !ring.hidden;
    hide.textContent = ring.hidden ? hide.dataset.show : hide.dataset.hide;
  });

  /* How long until another code may be asked for. */
  const hint = document.querySelector('[data-again]');
  let again;
  const countAgain = seconds => {
    if (!hint) return;
    const end = Date.now() + seconds * SECOND;
    const tick = () => {
      const left = Math.max(0, Math.ceil((end - Date.now()) / SECOND));
      hint.textContent = left > 1 ? hint.dataset.text.replace('{seconds}', left) : left ? hint.dataset.one : '';
      if (!left) clearInterval(again);
    };
    clearInterval(again);
    again = setInterval(tick, SECOND);
    tick();
  };
  if (hint) countAgain(+hint.dataset.again);

  /* Asks until the message has left; not from a page nobody looks at, and not for ever. */
  const giveUp = Date.now() + POLL_FOR;
  let asking = false;
  let settled = box.dataset.state === 'sent';
  let next;
  const later = () => {
    clearTimeout(next);
    next = setTimeout(ask, SECOND);
  };
  const ask = async () => {
    if (settled || asking || document.hidden || Date.now() > giveUp) return;
    asking = true;
    try {
      const answer = await fetch(box.dataset.status, { cache: 'no-store', headers: { Accept: 'application/json' } });
      if (answer.redirected) settled = true; /* The flow is over: there is nothing left to ask about. */
      else if (answer.ok) hear(await answer.json());
      else if (answer.status !== 429 && answer.status < 500) settled = true;
    } catch (error) {
      /* Offline for a moment: the next question may get through. */
    }
    asking = false;
    later();
  };
  const hear = now => {
    if (now.state !== 'sent') return;
    settled = true;
    say.textContent = line.dataset.sent;
    start(now.seconds_left, now.total);
    countAgain(now.resend_in);
  };

  if (settled) start(+box.dataset.seconds, +box.dataset.total);
  else if (box.dataset.status) {
    document.addEventListener('visibilitychange', ask);
    later();
  }

  /* "418 205" or "418-205" is pasted as 418205; anything else stays as it is for the server to judge. */
  const code = box.querySelector('.code-input');
  if (code) code.addEventListener('paste', event => {
    const digits = event.clipboardData.getData('text').replace(/[\s\u00ad\u2010-\u2015-]/g, '');
    if (!/^\d{6}$/.test(digits)) return;
    event.preventDefault();
    code.value = digits;
  });
})();
