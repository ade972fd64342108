// A call of an operation, as it comes over the wire.
'use strict';
const {below, pick, text, maybe} = require('../random');

const schema = {
  "type": "object",
  "properties": {
    "operationId": {
      "type": "string",
      "pattern": "^/[a-z0-9]+/[A-Za-z0-9]+$",
      "maxLength": 200
    },
    "input": {
      "type": "object",
      "properties": {
        "path": {
          "type": "string",
          "minLength": 1,
          "maxLength": 4096
        },
        "encoding": {
          "enum": [
            "utf8",
            "base64",
            "hex"
          ]
        },
        "offset": {
          "type": "integer",
          "minimum": 0
        },
        "length": {
          "type": "integer",
          "minimum": 1,
          "maximum": 1048576
        }
      },
      "required": [
        "path"
      ],
      "additionalProperties": false
    },
    "parentRequestId": {
      "type": "string",
      "maxLength": 64
    },
    "deadline": {
      "type": "integer",
      "minimum": 0
    },
    "metadata": {
      "type": "object",
      "additionalProperties": {
        "type": "string"
      }
    }
  },
  "required": [
    "operationId",
    "input"
  ]
};

function call() {
  const input = {path: '/' + text(4) + '/' + text(3 + below(20))};
  maybe(input, 'encoding', pick(['utf8', 'base64', 'hex']));
  maybe(input, 'offset', below(100000));
  maybe(input, 'length', 1 + below(4096));
  const message = {operationId: '/' + text(3) + '/' + text(8), input};
  maybe(message, 'parentRequestId', text(12));
  maybe(message, 'deadline', 1760000000000 + below(1000000));
  maybe(message, 'metadata', {trace: text(16), tenant: text(5)});
  return below(10) ? message : Object.assign(message, pick([{input: {}}, {operationId: 'X'}, {deadline: -1}]));
}

module.exports = {schema, make: call};
