// A text inside a PNG: its alternative text travels with the picture, where readers of metadata find it.

const SIGNATURE = 8;
const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c >>> 0;
});

export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 255]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** Put texts behind the header of a PNG, as iTXt chunks in UTF-8. */
export function withTexts(png: Uint8Array, texts: Readonly<Record<string, string>>): Uint8Array<ArrayBuffer> {
  const head = SIGNATURE + 25; // the header chunk is always 25 bytes long
  const chunks = Object.entries(texts).map(([name, text]) => chunk("iTXt", `${name}\0\0\0\0\0${text}`));
  const size = chunks.reduce((sum, each) => sum + each.length, png.length);
  const made = new Uint8Array(size);
  made.set(png.subarray(0, head));
  let at = head;
  for (const each of chunks) {
    made.set(each, at);
    at += each.length;
  }
  made.set(png.subarray(head), at);
  return made;
}

/** Length, name and content, and the sum over the last two. */
function chunk(name: string, content: string): Uint8Array {
  const bytes = new TextEncoder().encode(name + content);
  const made = new Uint8Array(bytes.length + 8);
  const view = new DataView(made.buffer);
  view.setUint32(0, bytes.length - 4);
  made.set(bytes, 4);
  view.setUint32(bytes.length + 4, crc32(bytes));
  return made;
}
