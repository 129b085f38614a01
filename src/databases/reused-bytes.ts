/** Memory that is filled again and again. What was taken from it is gone when it is filled the next time. */
export class ReusedBytes {
  private memory = Buffer.allocUnsafeSlow(64 * 1024);
  private length = 0;

  get bytes(): Buffer {
    return this.memory.subarray(0, this.length);
  }

  clear(): void {
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
