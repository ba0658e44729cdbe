/** The resources about the cluster and about this gateway in the OpenAPI document. */
import { applyDecorators } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { jsonContent, ProbeProblems, Problems } from './describe.js';

export function DescribeCluster(): MethodDecorator {
  return applyDecorators(
    ApiTags('Cluster'),
    ApiOperation({
      operationId: 'getCluster',
      summary: 'The state of the cluster',
      description: 'What this gateway knows at present; it waits for nobody.',
    }),
    ApiResponse({
      status: 200,
      description: 'Also when the cluster is not healthy.',
      content: jsonContent('Cluster'),
    }),
    Problems(),
  );
}

export function DescribeLiveness(): MethodDecorator {
  return applyDecorators(
    ApiTags('Probes'),
    ApiOperation({ operationId: 'healthz', summary: 'Whether the process lives' }),
    ApiResponse({ status: 200, description: 'It lives.', content: jsonContent('Liveness') }),
    ProbeProblems(),
  );
}

export function DescribeReadiness(): MethodDecorator {
  return applyDecorators(
    ApiTags('Probes'),
    ApiOperation({ operationId: 'readyz', summary: 'Whether this gateway can serve' }),
    ApiResponse({ status: 200, description: 'It can.', content: jsonContent('Readiness') }),
    ApiResponse({
      status: 503,
      description: 'It cannot, for these reasons.',
      content: jsonContent('Readiness'),
    }),
    ProbeProblems(),
  );
}
