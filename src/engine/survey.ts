/**
 * Finds out what a board holds before it is written: asks as little as the record allows, and believes the board alone. Knows
 * nothing of plans.
 */
import { filled } from "../core/bytes.ts";
import type { Digest } from "../core/digest.ts";
import type { Address } from "../core/image.ts";
import { uncovered, type Sector } from "../core/sectors.ts";
import { compareWithRecord, questionsPerRun, questionsPerSector, sampleOf, type Question } from "../core/survey.ts";
import { checkStop } from "../targets/target.ts";
import type { FlashJob, SectorRecord } from "./flash-job.ts";

/** The sectors that hold the image already, as the board itself confirms. */
export async function surveyRight(job: FlashJob, sectors: readonly Sector[]): Promise<ReadonlySet<Address>> {
  const { record, context, progress } = job;
  const { digestOf } = job.session;
  const opinion = compareWithRecord(sectors, record.known);
  const doubts = sectors.filter((sector) => isInDoubt(record, sector)).length;
  if (doubts > 0) {
    progress.notes.push(`An earlier flash was cut short; ${doubts} sectors were left in doubt and looked at again.`);
  }
  context.trace.enter("survey", `confirm ${opinion.same.length} sectors`);
  const { digestsBySector, confirmsByRun = !digestsBySector } = job.session;
  const confirmed = await ask(job, (confirmsByRun ? questionsPerRun : questionsPerSector)(opinion.same, digestOf));
  const suspects = opinion.same.filter((sector) => !confirmed.has(sector.address));
  if (suspects.length > 0) {
    progress.notes.push(
      "Something else has written to this board since the last flash; what differs is written again.",
    );
  }

  const unknown = [...suspects, ...opinion.unknown].sort((a, b) => a.address - b.address);
  if (unknown.length === 0) return confirmed;
  context.trace.enter("survey", `look at ${unknown.length} sectors`);
  const sample = sampleOf(unknown);
  const found = await ask(job, questionsPerSector(sample, digestOf));
  const worthIt = found.size > 0 || suspects.length > 0;
  const rest = worthIt ? unknown.filter((sector) => !sample.includes(sector)) : [];
  const foundLater = await ask(job, questionsPerSector(rest, digestOf));
  return new Set([...confirmed, ...found, ...foundLater]);
}

/** Between two questions a newer flash may take over; so many sectors take a fifth of a second. */
const sectorsAtOnce = 64;

function isInDoubt({ interrupted }: SectorRecord, { address }: Sector): boolean {
  return interrupted.some((range) => range.address === address);
}

/** Sectors of an interrupted flash that hold the image, but not the image alone: with what else is in them, so that they can be remembered. */
export async function clearDoubts(
  job: FlashJob,
  sectors: readonly Sector[],
  right: ReadonlySet<Address>,
): Promise<readonly Sector[]> {
  const doubtful = sectors.filter((sector) => right.has(sector.address) && isInDoubt(job.record, sector));
  const cleared: Sector[] = [];
  for (const sector of doubtful) if (uncovered(sector).length > 0) cleared.push(await withSurroundings(job, sector));
  return cleared;
}

/** Sectors all of whose questions the board answered as expected. */
async function ask(job: FlashJob, questions: readonly Question[]): Promise<ReadonlySet<Address>> {
  if (questions.length === 0) return new Set();
  const answers: Digest[] = [];
  const atOnce = job.session.digestsBySector ? sectorsAtOnce : 1;
  for (let from = 0; from < questions.length; from += atOnce) {
    checkStop(job.context);
    answers.push(...(await job.session.digests(questions.slice(from, from + atOnce).map(({ range }) => range))));
  }
  const asked = new Set<Address>();
  const wrong = new Set<Address>();
  questions.forEach((question, index) => {
    for (const sector of question.sectors) {
      asked.add(sector.address);
      if (answers[index] !== question.expected) wrong.add(sector.address);
    }
  });
  return new Set([...asked].filter((address) => !wrong.has(address)));
}

/**
 * A sector that must be erased, with the bytes that the image does not cover as they stand on the board now: the record or
 * the erased value if the board confirms it by digest, else read back.
 */
export async function withSurroundings(job: FlashJob, sector: Sector): Promise<Sector> {
  const gaps = uncovered(sector);
  if (gaps.length === 0) return sector;
  const { session, record, context } = job;
  checkStop(context);
  context.trace.enter("survey", "what stands beside the image");
  const data = sector.data.slice();
  const recorded = record.known({ address: sector.address, size: sector.size });
  const found = await session.digests(gaps);
  for (const [index, gap] of gaps.entries()) {
    const from = gap.address - sector.address;
    const erased = filled(gap.size, sector.erasedByte);
    const guesses = recorded === undefined ? [erased] : [recorded.subarray(from, from + gap.size), erased];
    const guess = guesses.find((bytes) => session.digestOf(bytes) === found[index]);
    data.set(guess ?? (await session.read(gap)), from);
  }
  return { ...sector, data };
}

/** Those of the board's own blocks whose sectors beside the image it says are blank: nothing is lost when they are erased too. */
export async function blankBeside(job: FlashJob, blocks: readonly (readonly Sector[])[]): Promise<readonly Sector[]> {
  if (blocks.length === 0 || job.session.patch === undefined) return [];
  checkStop(job.context);
  job.context.trace.enter("survey", "what stands beside the image");
  const whole = blocks.flat().map((sector) => ({ ...sector, covered: [sector] }));
  const blank = await ask(job, questionsPerSector(whole, job.session.digestOf));
  job.context.trace.enter("plan", "steps");
  return blocks.filter((block) => block.every(({ address }) => blank.has(address))).flat();
}
