/** /v1/tokens: made, listed and revoked by those who administer the prefixes that they are for. */
import { Controller, Delete, Get, HttpCode, Param, Post, Req } from '@nestjs/common';
import { tokenRequestSchema } from '@ringleader/contracts';
import type { Token, TokenCreated, TokenList } from '@ringleader/contracts';
import type { FastifyRequest } from 'fastify';
import { optionsOf, refuseFields } from '../cluster/operator-request.js';
import { jsonBody } from '../http/json-body.js';
import { refuseConditions } from '../kv/preconditions.js';
import {
  DescribeCreateToken,
  DescribeRevokeToken,
  DescribeToken,
  DescribeTokens,
} from '../openapi/token-descriptions.js';
import { Access } from './access.js';
import { callerOf, forbidden } from './caller.js';
import type { Caller } from './caller.js';
import { TokenStore } from './token-store.js';

const MANAGE = { kind: 'request', role: 'admin' } as const;

@Controller('v1')
export class TokensController {
  constructor(private readonly store: TokenStore) {}

  @Access(MANAGE)
  @DescribeCreateToken()
  @Post('tokens')
  create(@Req() request: FastifyRequest): Promise<TokenCreated> {
    const caller = manager(request);
    refuseConditions(request.headers, 'page');
    const asked = jsonBody(request, tokenRequestSchema, 'The token');
    return this.store.create(caller, asked, optionsOf(request));
  }

  @Access(MANAGE)
  @DescribeTokens()
  @Get('tokens')
  async list(@Req() request: FastifyRequest): Promise<TokenList> {
    const caller = manager(request);
    refuseConditions(request.headers, 'page');
    return { items: await this.store.list(caller, optionsOf(request)) };
  }

  @Access(MANAGE)
  @DescribeToken()
  @Get('tokens/:token')
  one(@Req() request: FastifyRequest, @Param('token') id: string): Promise<Token> {
    const caller = manager(request);
    refuseConditions(request.headers, 'page');
    return this.store.find(caller, id, optionsOf(request));
  }

  @Access(MANAGE)
  @DescribeRevokeToken()
  @Delete('tokens/:token')
  @HttpCode(204)
  async revoke(@Req() request: FastifyRequest, @Param('token') id: string): Promise<void> {
    const caller = manager(request);
    refuseConditions(request.headers, 'page');
    refuseFields(request, 'The revocation');
    await this.store.revoke(caller, id, optionsOf(request));
  }
}

/** Whoever administers anything at all; of what, the store looks at. */
function manager({ raw }: FastifyRequest): Caller {
  const caller = callerOf(raw);
  if (caller.grants.some(({ role }) => role === 'admin')) return caller;
  throw forbidden('Tokens are managed by who administers a prefix of keys', { role: 'admin' });
}
