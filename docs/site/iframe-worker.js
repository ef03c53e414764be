// Search in a page that was opened from disk. There a browser starts no worker, so a hidden frame takes its place.
// The name of this file tells Zensical's plugin "offline" that it need not load a script from another host for this.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      document.body.append(this.frame);
      const inside = this.frame.contentWindow;
      // What the worker's script posts arrives here as a message of this object.
      inside.postMessage = (data) => this.receive(new MessageEvent("message", { data: structuredClone(data) }));
      const script = inside.document.createElement("script");
      script.src = url;
      this.loaded = new Promise((resolve) => script.addEventListener("load", resolve));
      script.addEventListener("error", () => this.onerror?.(new ErrorEvent("error", { message: `${url} is missing` })));
      inside.document.body.append(script);
    }

    receive(event) {
      this.dispatchEvent(event);
      this.onmessage?.(event);
    }

    postMessage(data) {
      const inside = this.frame.contentWindow;
      this.loaded.then(() => inside.dispatchEvent(new MessageEvent("message", { data: structuredClone(data) })));
    }

    terminate() {
      this.frame.remove();
    }
  };
}
