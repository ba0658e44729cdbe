/** /v1/cluster/settings */
import { Controller, Get, Patch, Req, Res } from '@nestjs/common';
import { settingsPatchSchema } from '@ringleader/contracts';
import type { Settings } from '@ringleader/contracts';
import { Coordination } from '@ringleader/service-host';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ADMINISTER, READ_CLUSTER, Access } from '../access/access.js';
import { hasAlready, ifMatchOf } from '../http/if-match.js';
import { MERGE_PATCH, jsonBody } from '../http/json-body.js';
import { refuseConditions, refuseOtherConditions } from '../kv/preconditions.js';
import { DescribePatchSettings, DescribeSettings } from '../openapi/settings-descriptions.js';
import { optionsOf } from './operator-request.js';
import { patchSettings, readSettings, type VersionedSettings } from './settings.js';

@Controller('v1/cluster')
export class SettingsController {
  constructor(private readonly coordination: Coordination) {}

  @Access(READ_CLUSTER)
  @DescribeSettings()
  @Get('settings')
  async settings(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Settings | undefined> {
    refuseConditions(request.headers, 'page');
    const found = await readSettings(this.coordination, optionsOf(request));
    const settings = answer(reply, found);
    if (!hasAlready(request.headers, tagOf(found))) return settings;
    reply.code(304);
    return undefined;
  }

  @Access(ADMINISTER)
  @DescribePatchSettings()
  @Patch('settings')
  async change(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Settings> {
    refuseOtherConditions(request.headers);
    const ifRevision = ifMatchOf(request.headers, 'the revision of the settings');
    const patch = jsonBody(request, settingsPatchSchema, 'The patch', [MERGE_PATCH]);
    return answer(reply, await patchSettings(this.coordination, { patch, ifRevision }, optionsOf(request)));
  }
}

function tagOf({ revision }: VersionedSettings): string {
  return `"${revision}"`;
}

function answer(reply: FastifyReply, found: VersionedSettings): Settings {
  reply.header('ETag', tagOf(found));
  return found.settings;
}
