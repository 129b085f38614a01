const Sequencer = require('@jest/test-sequencer').default;

/** What takes longest begins first, so that no worker is left with it at the end. */
const SLOW = ['/test/convergence/', '/test/faults/refused-burst', '/test/faults/seeded', '/test/faults/'];

/** Jest begins with the largest files where it has not seen them run before; some of the slowest are among the smallest. */
module.exports = class extends Sequencer {
  sort(tests) {
    const place = ({ path }) => {
      const nth = SLOW.findIndex((part) => path.includes(part));
      return nth === -1 ? SLOW.length : nth;
    };
    return [...super.sort(tests)].sort((one, other) => place(one) - place(other));
  }
};
