/* The playground that labsupport.playground writes: a small network, drawn, trained and taken apart
   by mouse, by keyboard or by an address such as page.html#playground?data=xor&start=xor-relu.
   This file holds its settings, its buttons and its address; playground-core.js computes,
   playground-drawing.js draws, and what there is to choose from comes from Python, in the page.
   Plain scripts, so that they work from a file too; without them one sees a table of the start. */
(function () {
  "use strict";

  const BUDGET = 6; // milliseconds of a frame that training may take
  const KEPT = 400; // points of the loss curve; when there are twice as many, every other one goes
  const AHEAD = 1000; // epochs that "Train" does at once for those who ask for less motion
  const FIELDS = {
    data: "Data", start: "Start", seed: "Seed of the start", layer1: "Units in layer 1",
    layer2: "Units in layer 2", activation: "Activation", loss: "Loss", rule: "Step rule",
    rate: "Learning rate", speed: "Epochs a frame",
  };
  const NAMES = {
    xor: "XOR", moons: "two moons", relu: "ReLU", leaky_relu: "leaky ReLU",
    bce_with_logits: "cross-entropy (logits)", bce: "cross-entropy", mse: "squared error",
    warm: "backtracking, warm", pytorch: "PyTorch", glorot: "Glorot", he: "He",
    "xor-relu": "record xor-relu", "worked-example": "worked example", full: "as many as fit",
  };
  const READING = ["Epoch", "Loss", "Right", "Gradient norm", "Step", "Trials"];
  const BUTTONS = [
    { train: "Train", epoch: "One epoch", rewind: "Rewind", another: "New start" },
    { forward: "Forward", backward: "Backward", update: "Update" },
    { link: "Copy link", python: "Copy for Python" },
  ];
  const KEYS = {
    t: "train", e: "epoch", r: "rewind", n: "another", f: "forward", b: "backward", u: "update",
  };
  const ENDS = {
    "zero gradient": "The gradient is exactly zero: no step changes anything any more",
    diverged: "Diverged: the next step would give a loss that is not a finite number",
    "search gave up": "The line search gave up: no trial lowered the loss enough",
  };
  let count = 0;

  function build(box) {
    const core = window.Playground, { element, write, number } = core;
    const given = JSON.parse(box.querySelector("script[type='application/json']").textContent);
    const { usual, choices, limits, units } = given;
    const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
    const id = `playground-${++count}`, parts = {};
    let now = { ...given.situation }; // the settings
    let run, history; // what is trained, and its losses
    let view, sample, unit; // what is looked at: "start", "forward" or "backward"; which ones
    let goal = 0, ticket; // the epoch to train to, 0 for none; the frame that is waited for

    // Settings and address

    const text = (value) => (Array.isArray(value) ? value.join("-") : String(value));
    const hasName = (start) => Object.hasOwn(given.named, start);
    const usualWith = (start) =>
      (hasName(start) ? { ...usual, ...given.named[start].settings, start } : { ...usual });

    function inRange(v, [least, most], whole) {
      const n = v.trim() === "" ? NaN : Number(v.replace(",", "."));
      return n >= least && n <= most && (!whole || Number.isInteger(n)) ? n : undefined;
    }

    /* The setting that a text stands for; undefined if there is none. */
    function read(name, v) {
      if (Object.hasOwn(choices, name)) return choices[name].includes(v) ? v : undefined;
      if (Object.hasOwn(limits, name)) return inRange(v, limits[name], name !== "rate");
      if (name !== "hidden") return undefined;
      const layers = v.split("-").map((n) => inRange(n, units, true));
      return layers.length <= 2 && !layers.includes(undefined) ? layers : undefined;
    }

    /* A start with a name belongs to layers of a certain width. */
    function fitting(settings) {
      const named = hasName(settings.start) ? given.named[settings.start].settings : settings;
      const fits = text(named.hidden) === text(settings.hidden);
      return fits ? settings : { ...settings, start: usual.start };
    }

    /* The end of the address: the data, and what is not as usual. The same as in Python. */
    function fragment() {
      const all = { ...now, epoch: Math.min(run.epoch, limits.epoch[1]) };
      const plain = { ...usualWith(now.start), start: usual.start, data: "" };
      const asked = new URLSearchParams();
      for (const name in usual) {
        if (text(all[name]) !== text(plain[name])) asked.set(name, text(all[name]));
      }
      return `#${box.id}?${asked}`;
    }

    function keepAddress() {
      if (given.live) return; // there the address belongs to JupyterLab
      try {
        window.history.replaceState(window.history.state, "", fragment());
      } catch {
        // Some browsers limit how often; "Copy link" is right all the same.
      }
    }

    /* Go where the address says, if it speaks of this playground. */
    function followAddress() {
      const [name, query] = window.location.hash.slice(1).split("?");
      if (given.live || name !== box.id || !query) return false;
      const asked = new URLSearchParams(query), wrong = [];
      const settings = usualWith(asked.get("start"));
      for (const [key, v] of asked) {
        const setting = read(key, v);
        if (setting === undefined) wrong.push(`${key}=${v}`);
        else settings[key] = setting;
      }
      now = fitting(settings);
      rewind();
      box.scrollIntoView();
      say(wrong.length ? `Left out of the address, unknown or out of range: ${wrong.join(", ")}.`
        : `${summary()} ${reading()}`);
      if (now.epoch) train(now.epoch);
      return true;
    }

    function change(name, v) {
      now = name === "start" && hasName(v) ? usualWith(v) : fitting({ ...now, [name]: v });
      again(`${summary()} At the start: `);
    }

    // The run

    function rewind() {
      goal = 0;
      const sizes = [2, ...now.hidden, 1], { X, Y } = given.data[now.data];
      const start = hasName(now.start) ? given.named[now.start].vector
        : core.start(sizes, given.starts[now.start], now.seed);
      run = core.create({ ...now, sizes, X, Y, start, slope: given.slope, armijo: given.armijo });
      box.playground = run; // for those who open the console, and for the tests
      history = { every: 1, epochs: [0], losses: [run.loss] };
      // At first one with an input to see: that of (0, 0) multiplies nothing.
      sample = Math.min(sample ?? X.findIndex((x) => x.some((v) => v)), run.m - 1);
      unit = { layer: sizes.length - 1, at: 0 };
      parts.network.lay(run);
      parts.plane.lay(run, X);
      fillFields();
      show("forward");
    }

    function again(sentence) {
      now = { ...now, epoch: 0 };
      rewind();
      keepAddress();
      say(sentence + reading());
    }

    function step() {
      if (!core.update(run)) return false;
      if (run.epoch % history.every === 0) {
        history.epochs.push(run.epoch);
        history.losses.push(run.loss);
      }
      if (history.epochs.length > 2 * KEPT) {
        const even = (_, k) => k % 2 === 0;
        history = { every: 2 * history.every, epochs: history.epochs.filter(even),
          losses: history.losses.filter(even) };
      }
      return true;
    }

    function train(to) {
      goal = to;
      if (view === "start") view = "forward";
      write(parts.buttons.train, "Pause");
      next();
    }

    function next() {
      window.cancelAnimationFrame(ticket);
      ticket = window.requestAnimationFrame(frame);
    }

    function frame() {
      if (!goal || !box.isConnected) return;
      const since = performance.now(), free = parts.fields.speed.value === "full";
      const most = free || goal !== Infinity ? Infinity : Number(parts.fields.speed.value);
      let going = true;
      for (let k = 1; going && k <= most && run.epoch < goal; k++) {
        going = step();
        if (performance.now() - since > BUDGET) break;
      }
      if (!going || run.epoch >= goal) return pause();
      if (!calm.matches) draw();
      next();
    }

    function pause() {
      if (!run.known) core.backward(run); // the norm and the table are to be those of this place
      show(view);
      keepAddress();
      say(run.stopped ? ended() : `Paused. ${reading()}`);
    }

    const ACTIONS = {
      train() {
        if (goal) pause();
        else if (run.stopped) say(ended());
        else {
          train(calm.matches ? run.epoch + AHEAD : Infinity);
          say("Training.");
        }
      },
      forward() {
        show("forward");
        say(`Forward. Sample ${sample + 1}, of class ${run.Y[sample]}, gets the probability ` +
          `${number(core.probability(run, sample))}. Mean loss ${number(run.loss)}.`);
      },
      backward() {
        show("backward");
        say(`Backward. The gradient has the norm ${number(Math.sqrt(run.squared))}. Lines are ` +
          "its entries now, units show their delta.");
      },
      update() {
        const before = run.loss, done = step();
        show(done ? "start" : view);
        if (!done) return say(ended());
        keepAddress();
        const trials = now.rule === "fixed" ? "" : `, trial ${run.trials},`;
        say(`Update. A step of ${number(run.step)}${trials} took the loss from ` +
          `${number(before)} to ${number(run.loss)}. The activations are not known yet: ` +
          "go forward.");
      },
      epoch() {
        const done = step();
        show(view === "start" ? "forward" : view);
        keepAddress();
        say(done ? reading() : ended());
      },
      rewind: () => again("The same start again. "),
      another() {
        const start = hasName(now.start) ? usual.start : now.start;
        now = { ...now, start, seed: (now.seed + 1) % (limits.seed[1] + 1) };
        again(`A new start, seed ${now.seed}. `);
      },
      link: () => copy(window.location.href.split("#")[0] + fragment()),
      python: () => copy(`playground.read("${fragment()}")`),
    };

    function copy(what) {
      show(view);
      parts.copied.value = what;
      parts.copied.hidden = false;
      parts.copied.select();
      const asked = navigator.clipboard ? navigator.clipboard.writeText(what) : Promise.reject();
      asked.then(() => say("Copied."), () => say("Copy it from the field."));
    }

    // What is said: after a step or a pause, so that a screen reader is not flooded

    const reading = () =>
      `Epoch ${run.epoch}: loss ${number(run.loss)}, ${core.right(run)} of ${run.m} right.`;
    const ended = () => `${ENDS[run.stopped]}. ${reading()}`;
    const summary = () =>
      `${run.setup.sizes.join("-")}, ${NAMES[now.activation] || now.activation}.`;

    function say(sentence) {
      write(parts.status, sentence);
      parts.plane.label("The plane of the inputs, coloured by the probability of class 1, with " +
        `the samples. ${core.right(run)} of ${run.m} samples are on the right side.`);
      parts.curve.label(`The loss against the epoch: ${number(history.losses[0])} at the start, ` +
        `${number(run.loss)} at epoch ${run.epoch}.`);
    }

    // What is drawn

    /* Stop, and show the run as one of "start", "forward" and "backward". */
    function show(which) {
      goal = 0;
      view = which;
      write(parts.buttons.train, calm.matches ? `Train ${AHEAD}` : BUTTONS[0].train);
      draw();
    }

    function draw() {
      if (view === "backward" && !run.known) core.backward(run);
      parts.network.draw(run, view, sample, unit, goal > 0);
      parts.numbers.draw(run, view, sample, unit);
      parts.plane.draw(run, sample);
      parts.curve.draw(run, history, parts.log.checked);
      const p = view === "start" ? "" : `: p = ${number(core.probability(run, sample), 3)}`;
      write(parts.sampleText, `of ${run.m}, class ${run.Y[sample]}${p}`);
      const values = [run.epoch, number(run.loss), `${core.right(run)} of ${run.m}`,
        number(run.known || goal ? Math.sqrt(run.squared) : NaN, 3), number(run.step),
        run.trials || "–"];
      values.forEach((value, k) => write(parts.reading[k], String(value)));
    }

    function look(k) {
      sample = k;
      parts.sample.value = k + 1;
      draw();
    }

    function fillFields() {
      const [layer1, layer2 = "none"] = now.hidden;
      const values = { ...now, layer1, layer2 };
      for (const name in parts.fields) {
        if (name !== "speed") parts.fields[name].value = text(values[name]);
      }
      write(parts.labels.rate, now.rule === "fixed" ? FIELDS.rate : "First trial");
      parts.sample.max = run.m;
      parts.sample.value = sample + 1;
    }

    // The panel

    function layField(name, grid) {
      const cell = element("div", {}, grid);
      parts.labels[name] = element("label", { for: `${id}-${name}` }, cell, FIELDS[name]);
      const widths = Array.from({ length: units[1] }, (_, k) => String(k + 1));
      const options = { ...choices, layer1: widths, layer2: ["none", ...widths],
        speed: ["1", "10", "100", "full"] }[name];
      const field = element(options ? "select" : "input", { id: `${id}-${name}` }, cell);
      parts.fields[name] = field;
      if (options) {
        for (const v of options) element("option", { value: v }, field, NAMES[v] || v);
      } else {
        for (const [k, v] of [["type", "text"], ["inputmode", "decimal"], ["autocomplete", "off"]]) {
          field.setAttribute(k, v);
        }
      }
      if (name === "speed") field.value = "10";
      else field.addEventListener("change", () => changed(name, field));
    }

    function changed(name, field) {
      if (name.startsWith("layer")) {
        const layers = [parts.fields.layer1.value, parts.fields.layer2.value];
        return change("hidden", layers.filter((n) => n !== "none").map(Number));
      }
      const v = read(name, field.value);
      if (v !== undefined) return change(name, v);
      const [least, most] = limits[name], kind = name === "seed" ? "whole number" : "number";
      say(`${parts.labels[name].textContent}: “${field.value}” is not a ${kind} from ${least} ` +
        `to ${most}; kept ${now[name]}.`);
      field.value = now[name];
    }

    function layPanel() {
      box.classList.add("playground-ready");
      const panel = element("div", { class: "playground-panel", role: "group",
        "aria-label": "Playground" }, box);
      const settings = element("details", { class: "playground-settings" }, panel);
      settings.open = box.clientWidth === 0 || box.clientWidth >= 560;
      element("summary", {}, settings, "Settings");
      const grid = element("div", { class: "playground-fields" }, settings);
      Object.assign(parts, { fields: {}, labels: {}, buttons: {}, reading: [] });
      for (const name in FIELDS) layField(name, grid);

      const bar = element("div", { class: "playground-buttons" }, panel);
      const below = element("div", { class: "playground-buttons" });
      for (const labels of BUTTONS) {
        const set = element("div", { class: "playground-set" }, labels.link ? below : bar);
        for (const name in labels) {
          if (name === "link" && given.live) continue;
          const button = element("button", { type: "button", class: `playground-${name}` }, set,
            labels[name]);
          button.addEventListener("click", () => ACTIONS[name]());
          parts.buttons[name] = button;
        }
      }
      for (const key in KEYS) parts.buttons[KEYS[key]].setAttribute("aria-keyshortcuts", key);
      const list = element("dl", { class: "playground-reading" }, panel);
      for (const name of READING) {
        const pair = element("div", {}, list);
        element("dt", {}, pair, name);
        parts.reading.push(element("dd", {}, pair));
      }
      parts.status = element("p", { class: "playground-status", role: "status" }, panel);
      layStage(element("div", { class: "playground-stage" }, panel));
      panel.append(below);
      parts.copied = element("input", { type: "text", class: "playground-copied", readonly: "",
        "aria-label": "To copy" }, panel);
      parts.copied.hidden = true;
      panel.addEventListener("keydown", shortcut);
    }

    function layStage(stage) {
      const left = element("div", {}, stage), right = element("div", {}, stage);
      parts.network = core.network(left, (chosen) => {
        unit = chosen;
        draw();
      });
      parts.numbers = core.numbers(left);
      parts.plane = core.plane(right, look);
      element("p", { class: "playground-key" }, right,
        "Circles are class 0, squares class 1; the line is where p = 0.5.");
      const at = element("p", { class: "playground-sample" }, right);
      element("label", { for: `${id}-sample` }, at, "Sample");
      parts.sample = element("input", { id: `${id}-sample`, type: "number", min: 1, step: 1 }, at);
      parts.sampleText = element("span", {}, at);
      parts.sample.addEventListener("input", () => {
        const k = inRange(parts.sample.value, [1, run.m], true);
        if (k) look(k - 1);
      });
      parts.curve = core.curve(right);
      const log = element("label", { class: "playground-log" }, right);
      parts.log = element("input", { type: "checkbox" }, log);
      parts.log.addEventListener("change", draw);
      log.append("Logarithmic loss");
    }

    /* Letters, wherever in the panel the focus is, except in a field that takes letters itself. */
    function shortcut(event) {
      const action = KEYS[event.key.toLowerCase()];
      const modified = event.altKey || event.ctrlKey || event.metaKey;
      if (!action || modified || event.target.matches("input, select")) return;
      event.preventDefault();
      event.stopPropagation();
      ACTIONS[action]();
    }

    layPanel();
    rewind();
    say(`${summary()} ${reading()}`);
    if (!followAddress() && now.epoch) train(now.epoch);
    window.addEventListener("hashchange", followAddress);
    const themes = new MutationObserver(() => {
      parts.plane.repaint();
      draw();
    });
    themes.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    themes.observe(document.body, { attributeFilter: ["data-jp-theme-light"] });
  }

  function start() {
    document.querySelectorAll(".playground:not([data-ready])").forEach((box) => {
      box.setAttribute("data-ready", "");
      build(box);
    });
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
