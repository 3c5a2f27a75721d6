/* Password fields: show and hide, strength, ticks beside the rules, the same twice. The server has the last word. */
(() => {
  'use strict';
  const byId = id => document.getElementById(id);
  const length = text => [...text].length;

  /* Always sent as a password, so that browsers offer to keep it. */
  for (const button of document.querySelectorAll('.reveal-btn')) {
    const input = byId(button.getAttribute('aria-controls'));
    const set = shown => {
      input.type = shown ? 'text' : 'password';
      button.textContent = shown ? button.dataset.hide : button.dataset.show;
      button.setAttribute('aria-label', shown ? button.dataset.hideLabel : button.dataset.showLabel);
    };
    button.hidden = false;
    button.addEventListener('click', () => { set(input.type === 'password'); input.focus(); });
    input.form.addEventListener('submit', () => set(false));
  }

  const plain = text => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();

  const hasAllClasses = text => /\p{Lu}/u.test(text) && /\p{Ll}/u.test(text) && /\p{Nd}/u.test(text) && /[^\p{L}\p{M}\p{Nd}]/u.test(text);

  /* Words of three letters or more that belong to the person or the portal; of an address its local part. */
  const personalWords = list => {
    const texts = [list.dataset.known];
    for (const id of list.dataset.beside.split(' ')) if (id) texts.push(byId(id).value.replace(/@.*/, ''));
    return plain(texts.join(' ')).split(/[^\p{L}\p{N}]+/u).filter(word => length(word) > 2);
  };

  const judge = (password, list) => {
    const count = length(password);
    const { least, advised, phrase } = list.dataset;
    const folded = plain(password);
    return {
      count, advised: +advised, phrase: +phrase, variety: new Set(folded).size,
      length: count >= least,
      classes: count >= phrase || hasAllClasses(password),
      personal: count > 0 && !personalWords(list).some(word => folded.includes(word)),
    };
  };

  /* 0 nothing typed, 1 weak, 2 fair, 3 strong, 4 very strong. */
  const level = found => {
    if (!found.count) return 0;
    if (!found.length || !found.classes || !found.personal || found.variety < 5) return 1;
    if (found.count < found.advised) return 2;
    return found.count >= found.phrase && found.variety > 8 ? 4 : 3;
  };

  const tick = (list, found) => {
    for (const rule of list.querySelectorAll('[data-rule]')) {
      const met = found[rule.dataset.rule];
      rule.classList.toggle('is-met', met);
      rule.querySelector('.vh').textContent = met ? rule.dataset.met : rule.dataset.open;
    }
  };

  for (const list of document.querySelectorAll('[data-rules]')) {
    const input = byId(list.dataset.rules);
    const meter = document.querySelector('[data-strength]');
    const bar = meter.querySelector('.strength-bar');
    const word = meter.querySelector('b');
    const words = meter.dataset.words.split('|');
    const update = () => {
      const found = judge(input.value, list);
      const reached = level(found);
      tick(list, found);
      bar.dataset.level = reached;
      if (word.textContent !== words[reached]) word.textContent = words[reached];
    };
    meter.hidden = false;
    for (const id of [input.id, ...list.dataset.beside.split(' ')]) if (id) byId(id).addEventListener('input', update);
    update();
  }

  for (const note of document.querySelectorAll('.match')) {
    const first = byId(note.dataset.first);
    const second = byId(note.dataset.second);
    const text = note.querySelector('span');
    const update = () => {
      const same = first.value === second.value;
      const words = same ? note.dataset.same : note.dataset.differ;
      note.hidden = !second.value;
      note.classList.toggle('is-met', same);
      note.querySelector('.icon').toggleAttribute('hidden', !same);
      if (text.textContent !== words) text.textContent = words;
    };
    first.addEventListener('input', update);
    second.addEventListener('input', update);
    update();
  }
})();
