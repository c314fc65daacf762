import { describe, expect, test } from "vitest";
import { parseMemoryMap } from "../../../../src/targets/gdb/memory-map.ts";
import { elementsNamed, parseXml } from "../../../../src/targets/gdb/xml.ts";

const flash = (start: string, length: string, blocksize: string) =>
  `<memory type="flash" start="${start}" length="${length}"><property name="blocksize">${blocksize}</property></memory>`;

describe("a memory map", () => {
  test("has regions of equal sectors and ranges of RAM, in any order, in hex and in decimal", () => {
    const xml = `<?xml version="1.0"?>
<!DOCTYPE memory-map PUBLIC "+//IDN gnu.org//DTD GDB Memory Map V1.0//EN" "http://sourceware.org/gdb/gdb-memory-map.dtd">
<memory-map>
  <memory length="131072" start='0x20000000' type="ram"/>
  ${flash("0x08010000", "0x10000", " 0x10000\n")}
  ${flash("0x08000000", "65536", "16384")}
  ${flash("0x08020000", "0xe0000", "0x20000")}
  <memory type="rom" start="0" length="0x1000"/>
  <memory type="ram" start="0x10000000" length="0x10000"></memory>
</memory-map>`;
    const map = parseMemoryMap(xml);
    expect(map.flash.map(({ start, size, sectorSize }) => [start, size / sectorSize, sectorSize])).toEqual([
      [0x08000000, 4, 0x4000],
      [0x08010000, 1, 0x10000],
      [0x08020000, 7, 0x20000],
    ]);
    expect(map.flash[0]).toMatchObject({ name: "flash 0x08000000", erasedByte: 0xff });
    expect(map.ram).toEqual([
      { address: 0x10000000, size: 0x10000 },
      { address: 0x20000000, size: 0x20000 },
    ]);
  });

  test("may have stray text between its elements, as probe-rs writes it", () => {
    const xml = `<memory-map>\\n<memory type="ram" start="0x20000000" length="0x4000"/>\\n${flash("0", "0x40000", "0x400")}\\n</memory-map>`;
    expect(parseMemoryMap(xml)).toMatchObject({ ram: [{ size: 0x4000 }], flash: [{ start: 0, size: 0x40000 }] });
  });

  test("may reach to the end of the address space, and may be empty", () => {
    const xml = '<memory-map><memory type="ram" start="0xe0000000" length="0xffffffff"/></memory-map>';
    expect(parseMemoryMap(xml).ram).toEqual([{ address: 0xe0000000, size: 0x20000000 }]);
    expect(parseMemoryMap("")).toEqual({ flash: [], ram: [] });
    expect(parseMemoryMap("<memory-map/>")).toEqual({ flash: [], ram: [] });
  });

  test.each([
    ['<memory type="flash" start="0" length="0x1000"/>', 'the block size of the flash at 0x0 is ""'],
    [flash("0", "0x1000", "0"), "the flash at 0x0 has 0x1000 bytes in blocks of 0x0"],
    [flash("0", "0x1001", "0x100"), "the flash at 0x0 has 0x1001 bytes in blocks of 0x100"],
    [flash("0", "0x1000", "lots"), 'the block size of the flash at 0x0 is "lots"'],
    ['<memory type="ram" length="4"/>', 'a start is ""'],
    ['<memory type="ram" start="0x123456789" length="4"/>', "a memory starts at 0x123456789"],
    [flash("0", "0x1000", "0x100") + flash("0xf00", "0x100", "0x100"), "flash 0x00000000 and flash 0x00000f00 overlap"],
  ])("that makes no sense is refused: %s", (xml, words) => {
    expect(() => parseMemoryMap(xml)).toThrow(`the GDB server's memory map makes no sense: ${words}`);
  });
});

describe("XML", () => {
  test("has elements, attributes in both kinds of quotes, text and entities", () => {
    const [root] = parseXml(`<a one="1 &lt; 2" two='"'>x<b/><!-- <c/> -->&amp;<![CDATA[<d/>]]></a>`);
    expect(root).toEqual({
      name: "a",
      attributes: { one: "1 < 2", two: '"' },
      text: "x&<d/>",
      children: [{ name: "b", attributes: {}, text: "", children: [] }],
    });
  });

  test("that is not closed, closed twice or nested without end still has its elements", () => {
    expect(elementsNamed(parseXml("<a><b><c></b><d>"), "d")).toHaveLength(1);
    expect(parseXml("</a><b></b></b>").map(({ name }) => name)).toEqual(["b"]);
    expect(elementsNamed(parseXml("<a>".repeat(5000)), "a")).toHaveLength(5000);
    expect(parseXml("< <> & <a").map(({ name }) => name)).toEqual([]);
  });

  test("with a declaration that has entities of its own defines none", () => {
    const [root] = parseXml('<!DOCTYPE a [<!ENTITY lol "lol"><!ENTITY x "&lol;&lol;">]><a>&x;</a>');
    expect(root).toMatchObject({ name: "a", text: "&x;" });
  });
});
