/** What is kept for the next time. A chunk is about 2.4 MB; one of very large rows must not be paid for ever after. */
const KEPT_BYTES = 8 * 1024 * 1024;
const FIRST_BYTES = 64 * 1024;

/** Memory that is filled again and again. What was taken from it is gone when it is filled the next time. */
export class ReusedBytes {
  private memory = Buffer.allocUnsafeSlow(FIRST_BYTES);
  private length = 0;

  get bytes(): Buffer {
    return this.memory.subarray(0, this.length);
  }

  clear(): void {
    if (this.memory.length > KEPT_BYTES) this.memory = Buffer.allocUnsafeSlow(FIRST_BYTES);
    this.length = 0;
  }

  append(bytes: Buffer): void {
    const length = this.length + bytes.length;
    if (length > this.memory.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(length, this.memory.length * 2));
      this.bytes.copy(larger);
      this.memory = larger;
    }
    bytes.copy(this.memory, this.length);
    this.length = length;
  }
}
