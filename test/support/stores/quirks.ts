import type { FaultServer, S3Call } from './fault-server.ts';

/** Ways in which services that are like S3 differ from it, each a switch of the fault server. */
export const quirks = {
  /** Old Ceph, some appliances: unknown checksum headers are an error. */
  checksums: (server: FaultServer) =>
    refuse(
      server,
      ['PutObject', 'CreateUpload', 'UploadPart'],
      /^x-amz-(checksum-|sdk-checksum)/,
      400,
      'InvalidArgument',
    ),
  'checksums-501': (server: FaultServer) =>
    refuse(
      server,
      ['PutObject', 'CreateUpload', 'UploadPart'],
      /^x-amz-(checksum-|sdk-checksum)/,
      501,
      'NotImplemented',
    ),
  'object-size': (server: FaultServer) =>
    refuse(server, ['CompleteUpload'], /^x-amz-mp-object-size$/, 501, 'NotImplemented'),
  condition: (server: FaultServer) =>
    refuse(server, ['PutObject', 'CompleteUpload'], /^if-none-match$/, 400, 'InvalidRequest'),
  'upload-list': (server: FaultServer) =>
    server.plan('ListUploads', { kind: 'answer', status: 501, code: 'NotImplemented' }),
  'weak-etags': (server: FaultServer) => {
    for (const on of ['HeadObject', 'GetObject'] as const)
      server.plan(on, {
        kind: 'change-answer',
        change: ({ headers }) => {
          if (headers.etag !== undefined) headers.etag = `W/${headers.etag}`;
        },
      });
  },
  /** No length in HEAD: as of a proxy that compresses. */
  length: (server: FaultServer) =>
    server.plan('HeadObject', {
      kind: 'change-answer',
      change: ({ headers }) => {
        headers['x-without-length'] = 'yes';
      },
    }),
  times: (server: FaultServer) => {
    for (const on of ['ListObjects', 'ListUploads'] as const)
      server.plan(on, {
        kind: 'change-answer',
        change: (answer) => {
          const text = answer.body.toString('utf8');
          answer.body = Buffer.from(text.replaceAll(/<(LastModified|Initiated)>([^<]*)Z</g, '<$1>$2<'));
          answer.headers['content-length'] = String(answer.body.length);
        },
      });
  },
} satisfies Record<string, (server: FaultServer) => void>;

export type Quirk = keyof typeof quirks;

function refuse(server: FaultServer, calls: S3Call[], header: RegExp, status: number, code: string): void {
  for (const on of calls) server.plan(on, { kind: 'refuse-header', header, status, code });
}
