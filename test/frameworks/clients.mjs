/** Agents in the frameworks that people build them with: each is led to Holdfast and to a model, and is asked one thing. */

import { createMCPClient } from '@ai-sdk/mcp';
import { createOpenAI } from '@ai-sdk/openai';
import { ChatAnthropic } from '@langchain/anthropic';
import { HumanMessage } from '@langchain/core/messages';
import { MultiServerMCPClient } from '@langchain/mcp-adapters';
import { ChatOpenAI } from '@langchain/openai';
import { Agent as MastraAgent } from '@mastra/core/agent';
import { MCPClient } from '@mastra/mcp';
import { Agent, MCPServerStreamableHttp, OpenAIProvider, Runner } from '@openai/agents';
import { generateText, stepCountIs } from 'ai';

const QUESTION = 'Order a linen shirt.';
const TURNS_MAX = 10;
const apiKey = 'none';

/** By name: a function that has the framework work until its model is done. `mcp` and `model` are addresses. */
export const FRAMEWORKS = {
  'LangChain, ChatOpenAI': ({ mcp, model }) =>
    talkByLangChain(
      mcp,
      new ChatOpenAI({ model: 'test', apiKey, maxRetries: 0, configuration: { baseURL: `${model}/v1` } }),
    ),

  'LangChain, ChatAnthropic': ({ mcp, model }) =>
    talkByLangChain(mcp, new ChatAnthropic({ model: 'test', apiKey, maxRetries: 0, anthropicApiUrl: model })),

  'Vercel AI SDK': async ({ mcp, model }) => {
    const client = await createMCPClient({ transport: { type: 'http', url: mcp } });
    try {
      const openai = createOpenAI({ apiKey, baseURL: `${model}/v1` });
      const tools = await client.tools();
      await generateText({
        model: openai.chat('test'),
        tools,
        prompt: QUESTION,
        stopWhen: stepCountIs(TURNS_MAX),
        maxRetries: 0,
      });
    } finally {
      await client.close();
    }
  },

  'OpenAI Agents': async ({ mcp, model }) => {
    const server = new MCPServerStreamableHttp({ url: mcp, name: 'holdfast' });
    await server.connect();
    try {
      const modelProvider = new OpenAIProvider({ apiKey, baseURL: `${model}/v1`, useResponses: false });
      const agent = new Agent({ name: 'buyer', model: 'test', mcpServers: [server] });
      await new Runner({ modelProvider, tracingDisabled: true }).run(agent, QUESTION, {
        maxTurns: TURNS_MAX,
      });
    } finally {
      await server.close();
    }
  },

  Mastra: async ({ mcp, model }) => {
    const client = new MCPClient({ servers: { holdfast: { url: new URL(mcp) } } });
    try {
      const agent = new MastraAgent({
        id: 'buyer',
        name: 'buyer',
        instructions: 'Sell.',
        model: createOpenAI({ apiKey, baseURL: `${model}/v1` }).chat('test'),
        tools: await client.listTools(),
      });
      await agent.generate(QUESTION, { maxSteps: TURNS_MAX });
    } finally {
      await client.disconnect();
    }
  },
};

async function talkByLangChain(mcp, chat) {
  const client = new MultiServerMCPClient({ mcpServers: { holdfast: { transport: 'http', url: mcp } } });
  try {
    const tools = await client.getTools();
    const model = chat.bindTools(tools);
    const messages = [new HumanMessage(QUESTION)];
    for (let turn = 0; turn < TURNS_MAX; turn += 1) {
      const said = await model.invoke(messages);
      messages.push(said);
      if (said.tool_calls.length === 0) return;
      for (const call of said.tool_calls) {
        const tool = tools.find(({ name }) => name === call.name);
        messages.push(await tool.invoke(call).catch((error) => refusedIn(call, error)));
      }
    }
    throw new Error('it goes on for ever');
  } finally {
    await client.close();
  }
}

/** The adapters throw a refusal; what an agent of LangChain shows its model then is the error's message. */
function refusedIn(call, error) {
  return { role: 'tool', tool_call_id: call.id, content: error.message };
}
