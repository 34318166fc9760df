/* Worked examples (labsupport/stepper.py) one step at a time, with "previous" and "next".
   A page without this script shows all steps in their order. Plain script, no module: it must
   also run on pages opened from a disk. */
(function () {
  "use strict";

  function button(label, action) {
    var element = document.createElement("button");
    element.type = "button";
    element.textContent = label;
    element.addEventListener("click", action);
    return element;
  }

  function enhance(box) {
    var steps = Array.from(box.querySelectorAll(".stepper-step"));
    var last = steps.length - 1;
    var at = 0;
    var all = false;

    // Said aloud whenever it changes, because what changes on the page is not in focus.
    var status = document.createElement("p");
    status.className = "stepper-status";
    status.setAttribute("role", "status");

    var previous = button("Previous", function () { go(at - 1); });
    var next = button("Next", function () { go(at + 1); });
    var whole = button("Show all steps", function () {
      all = !all;
      show();
    });

    function go(target) {
      at = Math.min(Math.max(target, 0), last);
      show();
    }

    function show() {
      steps.forEach(function (step, index) { step.hidden = !all && index !== at; });
      previous.hidden = next.hidden = all;
      // Not `disabled`: a button that is disabled loses the focus, and the keyboard its place.
      previous.setAttribute("aria-disabled", String(at === 0));
      next.setAttribute("aria-disabled", String(at === last));
      whole.textContent = all ? "Show one step at a time" : "Show all steps";
      status.textContent = all
        ? "All " + steps.length + " steps"
        : "Step " + (at + 1) + " of " + steps.length;
    }

    var controls = document.createElement("div");
    controls.className = "stepper-controls";
    controls.append(previous, next, status, whole);
    controls.addEventListener("keydown", function (event) {
      var targets = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last };
      var modified = event.altKey || event.ctrlKey || event.metaKey || event.shiftKey;
      if (all || modified || !(event.key in targets)) return;
      event.preventDefault(); // the page does not scroll
      event.stopPropagation(); // and the book does not turn a page
      go(targets[event.key]);
    });

    box.prepend(controls);
    box.classList.add("stepper-on");
    show();
  }

  function start() {
    document.querySelectorAll(".stepper:not(.stepper-on)").forEach(enhance);
  }

  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", start);
  } else {
    start();
  }
})();
