import type { Check } from '../check.ts';
import { aclLoginChecks } from './acl-login.ts';
import { aclReplayChecks } from './acl-replay.ts';
import { aclRightsChecks } from './acl-rights.ts';
import { aclPeerChecks } from './acl-peers.ts';
import { aclStateChecks } from './acl-state.ts';
import { bakChecks } from './bak.ts';
import { cfgFilesChecks } from './cfg-files.ts';
import { cfgUseChecks } from './cfg-use.ts';
import { cfgChecks } from './cfg.ts';
import { cluChecks } from './clu.ts';
import { filChecks } from './fil.ts';
import { hstChecks } from './hst.ts';
import { netChecks } from './net.ts';
import { perChecks } from './per.ts';
import { secChecks } from './sec.ts';
import { senChecks } from './sen.ts';
import { tlsChecks } from './tls.ts';
import { verChecks } from './ver.ts';

/** Every check of the audit, by its id. */
export const checks: readonly Check[] = [
  ...netChecks,
  ...aclLoginChecks,
  ...aclStateChecks,
  ...aclPeerChecks,
  ...aclReplayChecks,
  ...aclRightsChecks,
  ...cfgChecks,
  ...cfgUseChecks,
  ...cfgFilesChecks,
  ...perChecks,
  ...tlsChecks,
  ...secChecks,
  ...filChecks,
  ...hstChecks,
  ...verChecks,
  ...bakChecks,
  ...senChecks,
  ...cluChecks,
].toSorted((a, b) => (a.rule.id < b.rule.id ? -1 : 1));
