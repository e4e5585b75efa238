'use strict';

function compare(a, b) {
  return a.localeCompare(b, undefined, { numeric: true });
}

/* Cards without a score go to the end, whichever way they are sorted. */
function compareScores(a, b, sign) {
  if (a === '' || b === '') return (a === '') - (b === '');
  return sign * (Number(a) - Number(b));
}

function setUpTable(table) {
  const heads = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  heads.forEach((head, column) => {
    head.querySelector('button').addEventListener('click', () => {
      const falling = head.getAttribute('aria-sort') === 'ascending';
      const sign = falling ? -1 : 1;
      const rows = [...body.rows].sort((one, two) => {
        const [a, b] = [one.cells[column], two.cells[column]];
        if ('value' in a.dataset && 'value' in b.dataset) {
          return compareScores(a.dataset.value, b.dataset.value, sign);
        }
        return sign * compare(a.textContent, b.textContent);
      });
      heads.forEach((other) => other.removeAttribute('aria-sort'));
      head.setAttribute('aria-sort', falling ? 'descending' : 'ascending');
      body.append(...rows);
    });
  });
}

function setUpSheet(sheet) {
  const form = sheet.querySelector('.controls');
  const holder = sheet.querySelector('.cards');
  const cards = [...holder.children];

  function choose() {
    const wanted = form.elements.class.value;
    const text = form.elements.name.value.trim().toLowerCase();
    let shown = 0;
    for (const card of cards) {
      const classes = JSON.parse(card.dataset.classes);
      const fits = (!wanted || classes.includes(wanted))
        && card.dataset.name.toLowerCase().includes(text);
      card.hidden = !fits;
      shown += fits;
    }
    sheet.querySelector('output').value = shown === cards.length
      ? `${shown} images` : `${shown} of ${cards.length} images`;
  }

  function order() {
    const how = form.elements.order.value;
    const sign = how === 'high' ? -1 : 1;
    holder.append(...[...cards].sort((a, b) => (
      (how === 'name' ? 0
        : compareScores(a.dataset.score, b.dataset.score, sign))
      || compare(a.dataset.name, b.dataset.name)
    )));
  }

  function showGroups() {
    const boxes = [...form.querySelectorAll('[name=group]')];
    const off = new Set(
      boxes.filter((box) => !box.checked).map((box) => box.value),
    );
    for (const figure of holder.querySelectorAll('figure')) {
      figure.hidden = off.has(figure.dataset.group);
    }
  }

  form.addEventListener('submit', (event) => event.preventDefault());
  form.elements.class.addEventListener('change', choose);
  form.elements.name.addEventListener('input', choose);
  form.elements.order.addEventListener('change', order);
  form.addEventListener('change', (event) => {
    if (event.target.name === 'group') showGroups();
  });
  // A browser may restore what was chosen before the page was loaded again.
  choose();
  order();
  showGroups();
}

function setUpViewer(viewer) {
  let opened = null;

  function show(button) {
    opened = button;
    const image = button.querySelector('img').cloneNode();
    image.removeAttribute('width');
    image.removeAttribute('height');
    const caption = document.createElement('figcaption');
    caption.textContent = image.alt;
    viewer.querySelector('figure').replaceChildren(image, caption);
    if (!viewer.open) viewer.showModal();
  }

  function step(by) {
    const buttons = [...document.querySelectorAll('.open')]
      .filter((button) => !button.closest('[hidden]'));
    const next = buttons[buttons.indexOf(opened) + by];
    if (next) show(next);
  }

  document.addEventListener('click', (event) => {
    const button = event.target.closest('.open');
    if (button) show(button);
    if (event.target === viewer) viewer.close();
  });
  viewer.querySelector('.previous').addEventListener('click', () => step(-1));
  viewer.querySelector('.next').addEventListener('click', () => step(1));
  viewer.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowLeft') step(-1);
    if (event.key === 'ArrowRight') step(1);
  });
  viewer.addEventListener('close', () => { if (opened) opened.focus(); });
}

document.querySelectorAll('table').forEach(setUpTable);
document.querySelectorAll('section.sheet').forEach(setUpSheet);
setUpViewer(document.getElementById('viewer'));
