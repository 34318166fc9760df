/* What the pages need beside the theme's scripts: handlers that a strict host forbids in attributes,
   and places to stop at for those who scroll by keyboard. */
(function () {
  "use strict";

  // Boxes that scroll sideways can be reached by keyboard; those that do not are no stop.
  const WIDE = ".bd-article :is(pre, .katex-display, .text_html, .pst-scrollable-table-container)";

  // A box is measured when it is laid out: to ask it before would lay out the whole chapter at once.
  // All are measured before any is changed, or the page would be laid out anew for each.
  const laidOut = new Set();
  const seen = new IntersectionObserver((entries) => {
    entries.forEach((entry) => laidOut[entry.isIntersecting ? "add" : "delete"](entry.target));
    measure(entries.filter((entry) => entry.isIntersecting).map((entry) => entry.target));
  }, { rootMargin: "1000000px" });

  function measure(boxes) {
    const wide = boxes.map((box) => box.scrollWidth > box.clientWidth + 1);
    boxes.forEach((box, n) => {
      if (wide[n]) box.tabIndex = 0;
      else if (box.tabIndex === 0) box.removeAttribute("tabindex");
    });
  }

  function stops() {
    document.querySelectorAll(WIDE).forEach((box) => seen.observe(box)); // those that are new
    measure([...laidOut]);
  }

  // The sidebar shows the current chapter, however far another page had scrolled it.
  function showChapter() {
    const link = document.querySelector(".bd-links .current.active > a");
    const sidebar = link?.closest(".bd-sidebar-primary");
    if (!sidebar) return;
    sidebar.scrollTop = 0;
    const [inside, box] = [link.getBoundingClientRect(), sidebar.getBoundingClientRect()];
    if (inside.bottom < Math.min(box.bottom, innerHeight)) return; // as it stands, with the title
    sidebar.scrollTop += inside.top - box.top - box.height / 3;
  }

  // Paper is light, whatever the screen.
  function printLight() {
    const shown = document.documentElement.dataset;
    let theme;
    window.addEventListener("beforeprint", () => {
      theme = shown.theme;
      shown.theme = "light";
    });
    window.addEventListener("afterprint", () => {
      shown.theme = theme;
    });
  }

  // The theme's button says which of its three states it is in.
  function nameTheme() {
    const names = { auto: "as on this device", dark: "dark", light: "light" };
    const mode = document.documentElement.dataset.mode;
    document.querySelectorAll(".theme-switch-button").forEach((button) => {
      button.setAttribute("aria-label", `Colours: ${names[mode]}`);
    });
  }

  // A glossary term shows its meaning to mouse, keyboard and finger: the first tap shows, the second leads on.
  function hints() {
    const hint = document.createElement("div");
    hint.id = "glossary-hint";
    hint.setAttribute("role", "tooltip");
    hint.hidden = true;
    document.querySelector(".bd-article")?.append(hint);
    let of = null;
    function hide() {
      of?.removeAttribute("aria-describedby");
      of = null;
      hint.hidden = true;
    }
    function show(term) {
      hide();
      of = term;
      hint.textContent = term.dataset.meaning;
      hint.hidden = false;
      term.setAttribute("aria-describedby", hint.id);
      const [box, page] = [term.getBoundingClientRect(), hint.offsetParent.getBoundingClientRect()];
      hint.style.top = `${box.bottom - page.top + 4}px`;
      hint.style.left = `${Math.max(0, Math.min(box.left - page.left, page.width - hint.offsetWidth - 8))}px`;
    }
    document.querySelectorAll("a.glossary-term[title]").forEach((term) => {
      term.dataset.meaning = term.title;
      term.removeAttribute("title");
      let touched = false;
      term.addEventListener("pointerdown", (event) => {
        touched = event.pointerType === "touch" && of !== term;
      });
      term.addEventListener("click", (event) => {
        if (touched) event.preventDefault();
        if (touched) show(term);
      });
      term.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && show(term));
      term.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && hide());
      term.addEventListener("focus", () => term.matches(":focus-visible") && show(term));
      term.addEventListener("blur", hide);
    });
    document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
  }

  function start() {
    hints();
    nameTheme();
    new MutationObserver(nameTheme).observe(document.documentElement, { attributeFilter: ["data-mode"] });
    // Arrows turn the page unless they belong to what has the focus: a field, a widget, a box that scrolls.
    document.querySelector(".bd-article")?.addEventListener("keydown", (event) => {
      if (/^Arrow/.test(event.key) && !event.target.matches("a")) event.stopPropagation();
    });
    printLight();
    document.addEventListener("DOMContentLoaded", showChapter); // after the theme, which remembers a place
    document.querySelector(".primary-toggle")?.addEventListener("click", () => setTimeout(showChapter));
    document.querySelectorAll(".btn-download-pdf-button").forEach((button) => {
      button.addEventListener("click", () => window.print());
    });
    stops();
    document.fonts.ready.then(stops); // a formula is as wide as its letters
    let waiting;
    window.addEventListener("resize", () => {
      clearTimeout(waiting);
      waiting = setTimeout(stops, 200);
    });
    document.addEventListener("toggle", stops, true); // a folded part opens
    document.addEventListener("click", (event) => {
      setTimeout(stops, 50);
      if (event.target.closest(".highlight-link a")) {
        event.preventDefault(); // its address is a script, which a strict host forbids
        SphinxHighlight.hideSearchWords();
      }
      event.target.closest("dialog a")?.closest("dialog").close(); // the contents leave, once chosen from
    });
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
