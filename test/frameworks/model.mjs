/**
 * A model provider for tests, over real HTTP: it asks for the tools that a test names, one a turn, and then says that it is done. What a
 * framework sends it is what a real model would have been shown.
 */

import { createServer } from 'node:http';

/** The two interfaces that the frameworks speak, by path: how a turn is asked for and answered. */
const INTERFACES = {
  '/v1/chat/completions': {
    text: (text) => choice({ role: 'assistant', content: text }, 'stop'),
    call: ({ id, name, args }) =>
      choice(
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id, type: 'function', function: { name, arguments: JSON.stringify(args) } }],
        },
        'tool_calls',
      ),
  },
  '/v1/messages': {
    text: (text) => message([{ type: 'text', text }], 'end_turn'),
    call: ({ id, name, args }) => message([{ type: 'tool_use', id, name, input: args }], 'tool_use'),
  },
};

/**
 * Answers with its address, the bodies that were sent to it, and how to stop it. `script`: names of tools, in order, and their arguments
 * as a function of all that the model has been shown.
 */
export async function startModel(script) {
  const turns = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const spoken = INTERFACES[request.url.split('?', 1)[0]];
    if (spoken === undefined) {
      response.writeHead(404).end();
      return;
    }
    const turn = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    turns.push(turn);
    const next = script[turns.length - 1];
    const call = next && {
      id: `call_${turns.length}`,
      name: nameIn(turn, next.name),
      args: next.args(textOf(turn.messages)),
    };
    const answer = call === undefined ? spoken.text('Done.') : spoken.call(call);
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    turns,
    stop: () => new Promise((resolve) => server.close(resolve)),
  };
}

/** All texts in a message, however deep; some frameworks show JSON inside JSON. */
export function textOf(value) {
  if (typeof value === 'string') return value.replaceAll('\\"', '"').replaceAll('\\\\', '\\');
  if (value === null || typeof value !== 'object') return '';
  return Object.values(value).map(textOf).join('\n');
}

/** Frameworks put the server's name before that of a tool. */
function nameIn({ tools }, name) {
  const names = tools.map((tool) => tool.function?.name ?? tool.name);
  const found = names.find((one) => one === name || one.endsWith(`_${name}`));
  if (found === undefined) throw new Error(`the model was shown no ${name}: ${names.join(', ')}`);
  return found;
}

function choice(said, finish_reason) {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'test',
    choices: [{ index: 0, message: said, finish_reason, logprobs: null }],
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  };
}

function message(content, stop_reason) {
  return {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'test',
    content,
    stop_reason,
    stop_sequence: null,
    usage: { input_tokens: 1, output_tokens: 1 },
  };
}
