// As small as it gets: the cost of being called.
'use strict';
const {below, text} = require('../random');

module.exports = {
  schema: {type: ['integer', 'string'], minimum: 1, minLength: 2},
  make: () => (below(2) ? below(10) : text(below(12))),
};
