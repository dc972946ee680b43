// Holds answers to the types that a package declares for its methods, with the TypeScript compiler as the judge.
import { createRequire } from "node:module";

// A type that says of itself that any key may stand there besides takes everything: what it names is what counts.
const OPENING = `
import type { LoopsClient } from "loops";
type Value = string | number | boolean | null;
type Named<T> = T extends (infer Item)[] ? Named<Item>[] : T extends infer Own & Record<string, Value> ? Own : T;
type Answer<M extends keyof LoopsClient> =
  LoopsClient[M] extends (...given: never[]) => Promise<infer T> ? Named<T> : never;
`;

/** What the compiler has against each answer, as `method: message`. `answers` are [method, value] pairs. */
export function faults(folder, answers) {
  const ts = createRequire(folder + "/")("typescript");
  const lines = answers.map(([method, value], index) =>
    `export const a${index}: Answer<"${method}"> = ${JSON.stringify(value)};`);
  const source = OPENING + lines.join("\n");
  const name = folder + "/answers.ts";
  const options = {
    strict: true, noEmit: true, exactOptionalPropertyTypes: true, types: [], lib: ["lib.es2020.d.ts"],
    module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler,
  };
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile.bind(host);
  host.getSourceFile = (file, version) =>
    file === name ? ts.createSourceFile(file, source, version) : read(file, version);
  const program = ts.createProgram([name], options, host);
  const first = OPENING.split("\n").length - 1;
  return ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) => {
    const line = file?.fileName === name ? file.getLineAndCharacterOfPosition(start).line - first : -1;
    return `${answers[line]?.[0] ?? file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
  });
}
