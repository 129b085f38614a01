/**
 * Loaded before the program (`node --import`), it makes the program's wall clock movable: whoever started the
 * process sends `{ shiftMs }`. The monotonic clock stays, as it does when a machine's clock is set; so does the
 * clock of the databases, which are other processes.
 */
const RealDate = Date;
let shiftMs = 0;

globalThis.Date = class Date extends RealDate {
  constructor(...values) {
    if (values.length === 0) super(RealDate.now() + shiftMs);
    else super(...values);
  }

  static now() {
    return RealDate.now() + shiftMs;
  }

  /** What the runtime itself makes is a date too. */
  static [Symbol.hasInstance](value) {
    return Object.prototype.toString.call(value) === '[object Date]';
  }
};

process.on('message', (message) => {
  shiftMs = message.shiftMs;
  process.send('moved');
});
// It does not keep the program alive.
process.channel?.unref();
