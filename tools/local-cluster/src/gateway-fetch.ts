import { Agent, fetch } from 'undici';
import type { RequestInit, Response } from 'undici';
import type { GatewayAccess } from './security.js';

const agents = new Map<string, Agent>();

function agentOf(ca: string): Agent {
  const agent = agents.get(ca) ?? new Agent({ connect: { ca } });
  agents.set(ca, agent);
  return agent;
}

/** `fetch`, of a gateway that may be one of a secure cluster. */
export function gatewayFetch(
  url: string,
  access: GatewayAccess | null,
  { headers = {}, ...init }: RequestInit & { readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Response> {
  if (access === null) return fetch(url, { ...init, headers });
  const authorization = `Bearer ${access.token}`;
  return fetch(url, { ...init, headers: { ...headers, authorization }, dispatcher: agentOf(access.ca) });
}
