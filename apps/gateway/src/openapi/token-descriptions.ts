/** /v1/tokens in the OpenAPI document. */
import { applyDecorators } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Problems, TimeoutHeader, jsonContent } from './descriptions.js';

const TAG = 'Tokens';

function IdParameter(): MethodDecorator {
  return ApiParam({
    name: 'token',
    description: 'The id: what stands between rl_ and the next _.',
    schema: { type: 'string' },
  });
}

export function DescribeCreateToken(): MethodDecorator {
  return applyDecorators(
    ApiTags(TAG),
    ApiOperation({
      operationId: 'createToken',
      summary: 'Make a token',
      description:
        'Nobody gives what they do not have: it takes admin of every prefix that is granted, and the new token does not ' +
        'live longer than the one by which it is made. The secret is in this answer and nowhere else.',
      requestBody: { required: true, content: jsonContent('TokenRequest') },
    }),
    TimeoutHeader(),
    ApiResponse({ status: 201, description: 'The token.', content: jsonContent('TokenCreated') }),
    Problems(
      'UNSUPPORTED_MEDIA_TYPE',
      'TOO_MANY_TOKENS',
      'OUTCOME_UNKNOWN',
      'DEADLINE_EXCEEDED',
      'DISK_FULL',
    ),
  );
}

export function DescribeTokens(): MethodDecorator {
  return applyDecorators(
    ApiTags(TAG),
    ApiOperation({
      operationId: 'listTokens',
      summary: 'Tokens that there are',
      description: 'Those all of whose prefixes the caller administers; never their secrets.',
    }),
    TimeoutHeader(),
    ApiResponse({ status: 200, description: 'By their ids.', content: jsonContent('TokenList') }),
    Problems('DEADLINE_EXCEEDED'),
  );
}

export function DescribeToken(): MethodDecorator {
  return applyDecorators(
    ApiTags(TAG),
    ApiOperation({ operationId: 'getToken', summary: 'One token' }),
    IdParameter(),
    TimeoutHeader(),
    ApiResponse({
      status: 200,
      description: 'The token, without its secret.',
      content: jsonContent('Token'),
    }),
    Problems('TOKEN_NOT_FOUND', 'DEADLINE_EXCEEDED'),
  );
}

export function DescribeRevokeToken(): MethodDecorator {
  return applyDecorators(
    ApiTags(TAG),
    ApiOperation({
      operationId: 'revokeToken',
      summary: 'Revoke a token',
      description: 'All gateways refuse it within moments, and end what they are still telling by it.',
    }),
    IdParameter(),
    TimeoutHeader(),
    ApiResponse({ status: 204, description: 'It is no more.' }),
    Problems(
      'UNSUPPORTED_MEDIA_TYPE',
      'TOKEN_NOT_FOUND',
      'OUTCOME_UNKNOWN',
      'DEADLINE_EXCEEDED',
      'DISK_FULL',
    ),
  );
}
