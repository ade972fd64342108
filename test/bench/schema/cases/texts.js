// Texts with patterns that need more than one look, lengths in characters, and decimals.
'use strict';
const {below, pick, text, maybe} = require('../random');

const schema = {
  type: 'object',
  properties: {
    email: {type: 'string', pattern: '^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$', maxLength: 254},
    url: {type: 'string', pattern: '^https?://'},
    host: {type: 'string', pattern: '^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$'},
    version: {type: 'string', pattern: '^(0|[1-9]\\d*)\\.(0|[1-9]\\d*)\\.(0|[1-9]\\d*)$'},
    file: {type: 'string', pattern: '\\.(json|yaml|toml)$'},
    level: {type: 'string', pattern: '^(low|middle|high)$'},
    greeting: {type: 'string', minLength: 3, maxLength: 12},
    price: {type: 'number', multipleOf: 0.01, minimum: 0},
  },
  required: ['email', 'url', 'version'],
};
function make() {
  const made = {
    email: text(6) + '@' + text(5) + '.org', url: pick(['http', 'https']) + '://' + text(9) + '.org/',
    version: [below(3), below(20), below(100)].join('.'),
  };
  maybe(made, 'host', text(5) + '.' + text(9) + '.net');
  maybe(made, 'file', text(9) + '.json');
  maybe(made, 'level', pick(['low', 'middle', 'high']));
  maybe(made, 'greeting', pick(['grüß dich', 'привет', 'hello', 'こんにちは']));
  maybe(made, 'price', below(100000) / 4);
  return below(10) ? made : Object.assign(made, pick([{email: 'none'}, {version: '1.02.3'}, {greeting: 'x'}]));
}

module.exports = {schema, make};
