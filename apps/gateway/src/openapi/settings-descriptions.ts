/** /v1/cluster/settings in the OpenAPI document. */
import { applyDecorators } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { ChangeProblems, Problems, TimeoutHeader, jsonContent } from './descriptions.js';

const TAG = 'Cluster';
const SETTINGS = {
  content: jsonContent('Settings'),
  headers: {
    ETag: {
      description: 'The revision of the settings, quoted; "0" while nothing is set.',
      schema: { type: 'string' },
    },
  },
} as const;

export function DescribeSettings(): MethodDecorator {
  return applyDecorators(
    ApiTags(TAG),
    ApiOperation({
      operationId: 'getSettings',
      summary: 'What was changed while the cluster runs',
      description: 'A part that is absent is as each process was configured.',
    }),
    ApiHeader({
      name: 'If-None-Match',
      required: false,
      description: '"17": 304 if the settings are still at this revision.',
      schema: { type: 'string' },
    }),
    TimeoutHeader(),
    ApiResponse({ status: 200, description: 'The settings.', ...SETTINGS }),
    ApiResponse({
      status: 304,
      description: 'The revision is the one in If-None-Match.',
      headers: SETTINGS.headers,
    }),
    Problems('UNAVAILABLE', 'DEADLINE_EXCEEDED'),
  );
}

export function DescribePatchSettings(): MethodDecorator {
  return applyDecorators(
    ApiTags(TAG),
    ApiOperation({
      operationId: 'patchSettings',
      summary: 'Change settings while the cluster runs',
      description:
        'A JSON Merge Patch (RFC 7396): null takes a part out. All gateways follow within moments.',
      requestBody: {
        required: true,
        content: {
          'application/merge-patch+json': jsonContent('SettingsPatch')['application/json']!,
          ...jsonContent('SettingsPatch'),
        },
      },
    }),
    ApiHeader({
      name: 'If-Match',
      required: false,
      description: '"17": only if the settings are still at this revision.',
      schema: { type: 'string', pattern: '^"[0-9]+"$' },
    }),
    TimeoutHeader(),
    ApiResponse({ status: 200, description: 'The settings as they are now.', ...SETTINGS }),
    ChangeProblems('PRECONDITION_FAILED', 'UNAVAILABLE', 'OUTCOME_UNKNOWN', 'DEADLINE_EXCEEDED'),
  );
}
