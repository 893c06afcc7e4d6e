// Panels that lie over each other, text wider than its box, anything beyond the side of the screen. An expression: evaluated in the page.
() => {
  const wrongs = [];
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  if (wide > 0) wrongs.push(`the page is ${wide} px wider than the screen`);
  const panels = [...document.querySelectorAll('main > div > section, main > div > header, main .chart > *, main .ladder > *, .side > section')]
    .filter((each) => each.checkVisibility({ visibilityProperty: true }) && each.getBoundingClientRect().height > 1);
  const name = (each) => each.getAttribute('aria-label') || each.className || each.tagName;
  panels.forEach((a, i) => panels.slice(i + 1).forEach((b) => {
    if (a.contains(b) || b.contains(a)) return;
    const [p, q] = [a.getBoundingClientRect(), b.getBoundingClientRect()];
    const x = Math.min(p.right, q.right) - Math.max(p.left, q.left), y = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
    if (x > 1 && y > 1) wrongs.push(`${name(a)} lies over ${name(b)} by ${Math.round(x)} x ${Math.round(y)}`);
  }));
  const hidden = (each) => !!each.closest('.hidden-text, .scroll, dialog, option, select, svg, .legend, details:not([open]) > :not(summary)');
  for (const each of document.querySelectorAll('main button, main td, main th, main dd, main dt, main p, main h2, main span, main b, main label')) {
    if (!each.checkVisibility({ visibilityProperty: true }) || hidden(each) || !each.innerText?.trim() || each.children.length) continue;
    const box = each.getBoundingClientRect(), style = getComputedStyle(each);
    if (box.width < 1) continue;
    if (style.display !== 'inline' && style.overflow !== 'visible' && each.scrollWidth > each.clientWidth + 1)
      wrongs.push(`cut off: ${each.innerText.slice(0, 40)}`);
    if (box.right > innerWidth + 1 || box.left < -1) wrongs.push(`beyond the side: ${each.innerText.slice(0, 40)}`);
    let up = each.parentElement;
    while (up && up !== document.body) {
      const how = getComputedStyle(up);
      if (how.overflowX === 'hidden' || how.overflowX === 'clip') {
        const limit = up.getBoundingClientRect();
        if (box.right > limit.right + 1.5 || box.left < limit.left - 1.5) wrongs.push(`cut off by ${name(up)}: ${each.innerText.slice(0, 40)}`);
        break;
      }
      up = up.parentElement;
    }
  }
  return [...new Set(wrongs)];
}