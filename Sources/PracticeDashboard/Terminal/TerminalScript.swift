/// What runs in the browser: the one script of the dashboard, on the terminal's page alone.
///
/// It speaks the API's own protocol (`v5.channel.k8s.io`): the first byte of a message is the number of its channel.
enum TerminalScript {
  static let source = #"""
    "use strict";
    (() => {
      const STDIN = 0, STDOUT = 1, STDERR = 2, STATUS = 3, RESIZE = 4;
      const MOST = 100000;
      const place = document.querySelector("[data-exec]");
      const screen = place.querySelector("pre"), state = place.querySelector("[role=status]");
      const form = place.querySelector("form"), line = place.querySelector("input"), again = place.querySelector("[data-again]");
      const encoder = new TextEncoder();
      let socket, decoder, content = "";

      const say = (text, kind) => { state.textContent = text; state.className = kind };

      // A page is no terminal: the sequences that colour and move are left out, and a step back takes a character.
      const show = (text) => {
        for (const c of text.replace(/\x1b\[[0-9;?]*[ -\/]*[@-~]/g, "")) {
          if (c === "\b") content = content.slice(0, -1);
          else if (c === "\n" || c === "\t" || c >= " ") content += c;
        }
        content = content.slice(-MOST);
        screen.textContent = content;
        screen.scrollTop = screen.scrollHeight;
      };

      const send = (channel, text) => {
        const bytes = encoder.encode(text), message = new Uint8Array(bytes.length + 1);
        message[0] = channel;
        message.set(bytes, 1);
        if (socket && socket.readyState === WebSocket.OPEN) socket.send(message);
      };

      const enable = (isOn) => {
        for (const e of form.elements) e.disabled = !isOn;
        again.hidden = isOn;
      };

      const connect = () => {
        let outcome = null, wasOpen = false;
        content = "";
        decoder = new TextDecoder();
        show("");
        enable(false);
        again.hidden = true;
        say("Connecting to sh", "other");
        socket = new WebSocket("wss://" + location.host + place.dataset.exec, ["v5.channel.k8s.io", "v4.channel.k8s.io"]);
        socket.binaryType = "arraybuffer";
        socket.onopen = () => { wasOpen = true; send(RESIZE, JSON.stringify({ Width: 100, Height: 24 })) };
        socket.onmessage = (event) => {
          const bytes = new Uint8Array(event.data);
          if (bytes[0] === STATUS) {
            const status = JSON.parse(new TextDecoder().decode(bytes.subarray(1)));
            outcome = status.status === "Success" ? { text: "sh has ended", kind: "other" }
              : status.reason === "NonZeroExitCode" ? { text: "sh has ended with code " + status.details.causes[0].message, kind: "other" }
              : { text: status.message, kind: "bad" };
          } else if (bytes[0] === STDOUT || bytes[0] === STDERR) {
            // The API's first message is empty: the command runs.
            if (form.elements[0].disabled) { enable(true); say("Connected to sh", "good"); line.focus() }
            show(decoder.decode(bytes.subarray(1), { stream: true }));
          }
        };
        socket.onclose = () => {
          enable(false);
          if (!outcome) outcome = { text: wasOpen ? "The connection was cut. You may have been signed out: load the page again."
            : "The terminal could not be opened. You may have been signed out: load the page again.", kind: "bad" };
          say(outcome.text, outcome.kind);
        };
      };

      form.addEventListener("submit", (event) => {
        event.preventDefault();
        send(STDIN, line.value + "\r");
        line.value = "";
        line.focus();
      });
      for (const key of form.querySelectorAll("[data-key]")) {
        key.addEventListener("click", () => { send(STDIN, String.fromCharCode(Number(key.dataset.key))); line.focus() });
      }
      again.addEventListener("click", connect);
      connect();
    })();

    """#
}
