/** Which uploads are an official flasher stub. Only digests stand here; the programs themselves are not part of this project. */

/** How a release behaves where releases differ. */
export interface StubRelease {
  readonly name: string;
  /** An error of the work behind an answer comes as the answer to the next command, whatever it is. Otherwise data blocks and END only. */
  readonly errorsHitNextCommand: boolean;
  /** Erases nothing while all sectors so far were blank. */
  readonly skipsBlankSectors: boolean;
  /** Raises the clock and sets the UART to 115200 at start, on the chips that allow it. */
  readonly boostsOverUart: boolean;
  /** FLASH_END with flag 0 and RUN_USER_CODE leave the loader. */
  readonly canReboot: boolean;
  /** Refuses DEFL data after the last byte was written: none, all of it, or what is more than the four bytes of an Adler-32. */
  readonly refusesDataAfterEnd: "none" | "all" | "over 4 bytes";
  /** Waits around a change of the bit rate: before and after the switch, milliseconds. */
  readonly baudChangeMs: readonly [before: number, after: number];
}

// Behaviour: sources of esp-flasher-stub at v0.7.0, v1.0.0 and v1.1.0, of the legacy stub, and trials on the real mask ROMs.
const legacy: StubRelease = {
  name: "legacy",
  errorsHitNextCommand: false,
  skipsBlankSectors: false,
  boostsOverUart: false,
  canReboot: true,
  refusesDataAfterEnd: "over 4 bytes",
  baudChangeMs: [10, 1],
};
const v070: StubRelease = {
  name: "0.7.0",
  errorsHitNextCommand: true,
  skipsBlankSectors: false,
  boostsOverUart: false,
  canReboot: false,
  refusesDataAfterEnd: "all",
  baudChangeMs: [5, 5],
};
const v100: StubRelease = { ...v070, name: "1.0.0", refusesDataAfterEnd: "none" };
const v122: StubRelease = { ...v100, name: "1.2.2", skipsBlankSectors: true, boostsOverUart: true };

/** The releases that are known, oldest first. */
export const stubReleases: readonly StubRelease[] = [legacy, v070, v100, v122];

interface StubUpload {
  readonly release: StubRelease;
  readonly textAt: number;
  /** Bytes of the text segment. */
  readonly textBytes: number;
  readonly entry: number;
  /** SHA-256 of the text segment. */
  readonly sha256: string;
}

export const stubUploads: readonly StubUpload[] = [
  // 0.7.0 (esptool 4.12, directory 2)
  row(v070, [0x400a8000, 7280, 0x400a800c], "a26cb834d49aac7b6ec68463a613e432738ba5485ef105ad10187e9243be634e"), // esp32
  row(v070, [0x40380000, 6636, 0x40380000], "f184e0d69e724ddeef5ce9c27396eda845c53c06eded1c9d6a4a4f530290fa05"), // esp32c2
  row(v070, [0x40380000, 6432, 0x40380000], "7124f0cefa06620297d0254cedae09fa3646d366f32a972d9a77a56d3a0b0f6e"), // esp32c3
  row(v070, [0x40800000, 6784, 0x40800000], "cf53740fcf39434be911b6877f4337ee764b98fdbfb92af9df2cdb05e7ebc35e"), // esp32c5
  row(v070, [0x40800000, 6404, 0x40800000], "2026ea3d4f65af9017e1da5341698d077f7b9a2e1837c286b5cba6d300dbcfcf"), // esp32c6
  row(v070, [0x40800000, 6484, 0x40800000], "0bc2db9971267a977835474e04e4aa13aff248c64b3a2f41c642e4958c76706b"), // esp32c61
  row(v070, [0x40800000, 6420, 0x40800000], "f15bb21c77f7499aa9ffed300abdf41a451e977561398494cca9db8f3e19b070"), // esp32h2
  row(v070, [0x4ff50000, 7416, 0x4ff50000], "b90a1dff232f4494d5b312919667fa9b48fffa6d2e0fcd714884108230aa5884"), // esp32p4
  row(v070, [0x4ff10000, 7416, 0x4ff10000], "5da248651882163e7bcf4f98de2d4914240a251108d3a30cfaae500536870b94"), // esp32p4-rev1
  row(v070, [0x40028000, 7936, 0x4002800c], "f038186b9984b8767654ef1bd8da8d1b9db939762f2cb07a5854dcf0c1f8909f"), // esp32s2
  row(v070, [0x40378000, 8480, 0x4037800c], "911d584127cbbecef6661d60aa0ff97357add29153fff10d98e700fb76f05b71"), // esp32s3
  row(v070, [0x4010c500, 12460, 0x4010c504], "2232e5bd33edbc8ef0f69b13ee85292f8a574e2076ecf6d1f01a954fa2bec06f"), // esp8266
  // 1.0.0 (esptool 5.3.1, directory 2)
  row(v100, [0x400a8000, 6140, 0x400a9074], "59c217e201a5910c15a0f202f2852c8ea44b7406bbf227e2cd6e88fd6a2a75af"), // esp32
  row(v100, [0x40380000, 6024, 0x4038105c], "12f93e18aab1ec721f5147fb8446f70d468d536692098c0c923328d3c9a6df44"), // esp32c2
  row(v100, [0x40380000, 6024, 0x40380f2e], "3197a9e051fd53da0fe3e39d9aded139e5386f50edfc8af998382b065a173c35"), // esp32c3
  row(v100, [0x40800000, 7784, 0x408014ee], "c9d36e0d4b45d0d2b45cc33f4e31a460f78cd42a6294a6992ffcfa4cd14f732d"), // esp32c5
  row(v100, [0x40800000, 7052, 0x40801252], "9d59894c5e83672666d0331f1358b9fde5614530ac65df22701fbf6817915804"), // esp32c6
  row(v100, [0x40800000, 6312, 0x4080104e], "7dafaaff511076ecf86fd67a323ea393c8c51ab4f95cda503a0f9c522c123ea5"), // esp32c61
  row(v100, [0x40800000, 6012, 0x40800f26], "247846ab01cd5d2039b266ceaafaff27ac9911160adc4b2f4b062ead729b6034"), // esp32h2
  row(v100, [0x4ff50000, 7308, 0x4ff5130e], "994233fd1966e1c3175445bebf5c6c6f2862d77b22ce7451466e0f5dc36b1f9b"), // esp32p4
  row(v100, [0x4ff10000, 7308, 0x4ff1130e], "56e571c4cd05ab2ae0859fe0e93398855f6710141b289b9bed0db3bd74b9cc6e"), // esp32p4-rev1
  row(v100, [0x40028000, 6724, 0x40029144], "1e7edee974ecae1194882eff73d7b230e89c9db126e2a527ee628f9347b3a7d6"), // esp32s2
  row(v100, [0x40378000, 7644, 0x40379474], "d0f85e42389e8f5fba03e47444d9fab43e59c2dcd6649059fb22ab69c54f5cdd"), // esp32s3
  row(v100, [0x4010c500, 13740, 0x4010c504], "3d315cf8155a78db13e4ef90e26b2dc3fd95d7762e1102cdfb663d8f7a7c44d5"), // esp8266
  // 1.2.2 (npm esptool-js 0.7.0)
  row(v122, [0x400a8000, 6456, 0x400a902c], "fc5fb606754d152b9b9e4f20c72fdad83d1d99b1b139744bc53cc160b1edd570"), // esp32
  row(v122, [0x40380000, 5816, 0x40380f90], "69e484070942074e7af2d2c5ea5f90e97b619357d44484dfc84e1d89ae639c8b"), // esp32c2
  row(v122, [0x40380000, 5880, 0x40380e9a], "c06cc1a34a02d8f8755692cf89843b388978d19a255b0d9c26b10a0f41a90ffb"), // esp32c3
  row(v122, [0x40800000, 8028, 0x408015d2], "c43fbce8a06d2c793ba657bced32a1af38a1eb5a1d5731eeeef4ee67b301139c"), // esp32c5
  row(v122, [0x40800000, 6900, 0x408011bc], "904a314959d712695b699b08873a428c2080e0ce6dc17ebf7657449ea84383d4"), // esp32c6
  row(v122, [0x40800000, 6552, 0x40801130], "85f086b45a996d6c2f8e8b7b28ab64db7d5541ef9d8ac2750ceebf13c51fedda"), // esp32c61
  row(v122, [0x40800000, 5864, 0x40800e92], "a177fb52a62156a15f8959f70adacbf02d896c3593f814760b4008ec6df22ee9"), // esp32h2
  row(v122, [0x4ff50000, 8176, 0x4ff51456], "16b0c6e425c4ca8dce5a0cc52d1df35b3fc16aa1c6fa5a7512ff9ce1514bbf3d"), // esp32p4
  row(v122, [0x4ff10000, 8176, 0x4ff11456], "60a6e7036d578f1a7b5e4c78e0f2183643d9d30bb9bedb6f7c4b964a40957bdc"), // esp32p4-rev1
  row(v122, [0x40028000, 6600, 0x400290a4], "2f9d78912aabf158d013c6162becdd85967dd4794032012f3600228cddec5ef9"), // esp32s2
  row(v122, [0x40378000, 7832, 0x40379524], "c37a7d12d52633fd629fbed13f3a7418216af368d8e80f17853ce6de29741374"), // esp32s3
  row(v122, [0x4010c500, 11456, 0x4010c504], "37c16091ff165ffe760353a8e92d07f55927e34d01fb5fc04c18b5525c13f8f6"), // esp8266
  // legacy 1.11.1 (esptool 4.12 and 5.3.1, directory 1)
  row(legacy, [0x400be000, 3540, 0x400be658], "b2dff40d626d2e83234ba17f79ab968cf5505cf989d15f9954ed477777eeddad"), // esp32
  row(legacy, [0x40380000, 3360, 0x403805da], "32c1f9e86602ad46f0e48d04c6791699e25d3fd8a9180c7861e135577b20b8b0"), // esp32c2
  row(legacy, [0x40380000, 3812, 0x403806d2], "857660860ee353699c11c6dfc82d3bfd0bcfa7890c8c9b5fc84f1a551f1f5003"), // esp32c3
  row(legacy, [0x40800000, 4924, 0x40800a88], "d20a2e10c30b817315e0e651b2cd7e626b32243dffd8246b842c8a2cf7070032"), // esp32c5
  row(legacy, [0x40800000, 3728, 0x408006c2], "05bd47f6c34739cef5cf9680517cc73c6934cabffc9c3b1b37a68ba445bc5cd3"), // esp32c6
  row(legacy, [0x40800000, 3732, 0x408006c2], "9cbce15d39a6c63e60efb6a65e3208bb1d33da0e0ad31bfc34e63ec1770b3222"), // esp32c61
  row(legacy, [0x40800000, 3728, 0x408006c2], "be453f1b44dfd95ef557dab68388db98ebe899ad72fd6b2a9c4583fee470b2c9"), // esp32h2
  row(legacy, [0x4ff10000, 5400, 0x4ff10ba0], "c2b6fb9a070b286e851afe5219f55db45372f237bd53d49d5563b60ace62c43e"), // esp32p4-rev1
  row(legacy, [0x40028000, 4476, 0x400288ac], "e9ceeffe0ef179759c797aaffbc2eb63fc6926adea980ad1d295b8652b2278f3"), // esp32s2
  row(legacy, [0x40378000, 5676, 0x40378c94], "4f2db4cfaa9938d03537519d95081372f8b833dfcf2ae8fb47fc90425cb853d3"), // esp32s3
  row(legacy, [0x4010d000, 8276, 0x4010d004], "4dd755cefff7947b6a93f3acabcf7bda1b06630d5ad324022a7cfe4f07114ea8"), // esp8266
];

function row(release: StubRelease, [textAt, textBytes, entry]: [number, number, number], sha256: string): StubUpload {
  return { release, textAt, textBytes, entry, sha256 };
}
