/* Circuits (labsupport.widgets.circuit) a gate at a time, and an input to nudge. All numbers and all
   steps stand in the page already; this hides and reveals them, and computes the values anew while
   an input is nudged. A plain script, so that it works from a file and in JupyterLab too. */
(function () {
  "use strict";

  const VALUES = {
    add: (...given) => given.reduce((sum, value) => sum + value, 0),
    multiply: (a, b) => a * b,
    sigmoid: (z) => (1 + Math.tanh(z / 2)) / 2,
    tanh: Math.tanh,
    "cross-entropy": (p, y) => -y * Math.log(p) - (1 - y) * Math.log(1 - p),
  };
  let count = 0;

  function html(name, attributes, parent, text) {
    const element = document.createElement(name);
    for (const key in attributes) element.setAttribute(key, attributes[key]);
    if (text !== undefined) element.textContent = text;
    parent.appendChild(element);
    return element;
  }

  function button(parent, label, action) {
    const element = html("button", { type: "button" }, parent, label);
    element.addEventListener("click", action);
    return element;
  }

  /* At most four decimals, or always so many, with a true minus sign: as Python writes them. */
  function number(value, digits) {
    const text = digits ? value.toFixed(digits) : String(Number(value.toFixed(4)));
    return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
  }

  const shown = (wire) => wire.replace(/\d/g, (digit) => "₀₁₂₃₄₅₆₇₈₉"[digit]);

  function enhance(box) {
    const given = JSON.parse(box.querySelector("script[type='application/json']").textContent);
    const list = box.querySelector(".circuit-steps");
    const steps = Array.from(list.children);
    const parts = Array.from(box.querySelectorAll("[data-part]"));
    const gates = Array.from(box.querySelectorAll("[data-gate]:not(li)"));
    const last = steps.length - 1;
    let at = 0, all = false;

    /* What is seen of the drawing: all that the steps up to this one have added. */
    const panel = document.createElement("div");
    panel.className = "circuit-panel";
    const controls = html("div", { class: "circuit-controls" }, panel);
    const previous = button(controls, "Previous", () => go(at - 1));
    const next = button(controls, "Next", () => go(at + 1));
    const whole = button(controls, "Show all", () => { all = !all; move(0); show(); });
    const status = html("p", { class: "circuit-status", role: "status" }, controls);

    function go(target) {
      at = Math.min(Math.max(target, 0), last);
      move(0);
      show();
    }

    function show() {
      const until = all ? last : at;
      const seen = new Set(steps.slice(0, until + 1).flatMap((step) => step.dataset.shows.split(" ")));
      const now = all ? {} : steps[at].dataset;
      const fresh = all ? [] : now.shows.split(" ");
      for (const part of parts) {
        part.classList.toggle("circuit-off", !seen.has(part.dataset.part));
        part.classList.toggle("circuit-new", at > 0 && fresh.includes(part.dataset.part));
      }
      for (const gate of gates) gate.classList.toggle("circuit-here", gate.dataset.gate === now.gate);
      list.classList.toggle("circuit-folded", !all);
      previous.hidden = next.hidden = all;
      // Not `disabled`: a button that is disabled loses the focus, and the keyboard its place.
      previous.setAttribute("aria-disabled", String(at === 0));
      next.setAttribute("aria-disabled", String(at === last));
      whole.textContent = all ? "Step by step" : "Show all";
      status.textContent = all
        ? `All ${steps.length} steps`
        : `Step ${at + 1} of ${steps.length}. ${steps[at].textContent}`;
    }

    controls.addEventListener("keydown", (event) => {
      const targets = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last };
      const modified = event.altKey || event.ctrlKey || event.metaKey || event.shiftKey;
      if (all || modified || !(event.key in targets)) return;
      event.preventDefault(); // the page does not scroll
      event.stopPropagation(); // and the book does not turn a page
      go(targets[event.key]);
    });

    const id = `circuit-${++count}`;
    const nudge = document.createElement("div");
    nudge.className = "circuit-nudge";
    nudge.setAttribute("role", "group");
    nudge.setAttribute("aria-label", "Nudge an input");
    html("label", { for: `${id}-wire` }, nudge, "Nudge");
    const wire = html("select", { id: `${id}-wire` }, nudge);
    for (const name in given.slopes) html("option", { value: name }, wire, shown(name));
    html("label", { for: `${id}-by` }, nudge, "by");
    const by = html("input", { id: `${id}-by`, type: "range", min: -1, max: 1, step: 0.01 }, nudge);
    button(nudge, "−0.1", () => nudged(Number(by.value) - 0.1));
    button(nudge, "+0.1", () => nudged(Number(by.value) + 0.1));
    const said = html("output", { for: `${id}-wire ${id}-by`, "aria-live": "polite" }, nudge);

    function forward(moved) {
      const values = { ...given.inputs, ...moved };
      for (const [made, kind, reads] of given.gates) {
        values[made] = VALUES[kind](...reads.map((read) => values[read]));
      }
      return values;
    }

    /* Draw the values after a nudge; the slopes stay those before it, which made the promise. */
    function move(change) {
      by.value = change.toFixed(2);
      const name = wire.value, step = Number(by.value), before = given.inputs[name];
      const values = forward({ [name]: before + step }), loss = given.gates[given.gates.length - 1][0];
      const fall = values[loss] - forward({})[loss], slope = given.slopes[name];
      for (const part of parts) {
        const [what, which] = part.dataset.part.split(/-(.*)/);
        if (what === "value") part.textContent = number(values[which]);
      }
      by.setAttribute("aria-valuetext", number(step, 2));
      said.textContent = step === 0
        ? `${shown(name)} is ${number(before)}. ` + (all || at === last
          ? `Its slope is ${number(slope)}: how far will the loss move?`
          : "Its slope comes on the way back.")
        : `${shown(name)} moves from ${number(before)} to ${number(before + step)}, and the loss by ` +
          `${number(fall, 5)}. Slope × nudge is ${number(slope)} × ${number(step)} = ` +
          `${number(slope * step, 5)}.`;
    }

    function nudged(change) {
      at = last;
      show();
      move(change);
    }

    wire.addEventListener("change", () => nudged(0));
    by.addEventListener("input", () => nudged(Number(by.value)));
    nudge.addEventListener("keydown", (event) => event.stopPropagation());

    const inside = document.createElement("div");
    inside.className = "circuit-inside";
    inside.append(panel, box.querySelector(".circuit-drawing"), nudge, list);
    box.prepend(inside);
    box.classList.add("circuit-on");
    by.value = 0;
    go(0);
  }

  function start() {
    document.querySelectorAll(".circuit:not(.circuit-on)").forEach(enhance);
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
