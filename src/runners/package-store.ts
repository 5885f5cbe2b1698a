// Where `.tars` packages lie: one file per weights, recipe and layout version, so that none can be mistaken for another.
import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Recipe } from '../graph/index.js';
import { kernelLayoutVersion } from '../quant/index.js';

export function packagePath(folder: string, weightsDigest: string, recipe: Recipe): string {
  return path.join(folder, `${bareDigest(weightsDigest)}-${recipe}-v${kernelLayoutVersion}.tars`);
}

/** Deletes every package of these weights, of whatever recipe and version; a process that has one mapped keeps its pages. */
export function removePackages(folder: string, weightsDigest: string): void {
  for (const file of listFolder(folder)) {
    if (file.startsWith(`${bareDigest(weightsDigest)}-`)) {
      rmSync(path.join(folder, file), { force: true });
    }
  }
}

function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function bareDigest(digest: string): string {
  return digest.replace(/^sha256[:-]/, '');
}
