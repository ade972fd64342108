// The same numbers, texts and choices in each run.
'use strict';
let seed = 1;
const below = (n) => { // Park and Miller
  seed = (seed * 48271) % 2147483647;
  return seed % n;
};
const pick = (list) => list[below(list.length)];
const text = (n) => Array.from({length: n}, () => pick([...'abcdefghijklmnopqrstuvwxyz'])).join('');
const maybe = (object, name, value) => { if (below(3)) object[name] = value; };
const many = (least, most, make) => Array.from({length: least + below(most - least + 1)}, (_, i) => make(i));

module.exports = {below, pick, text, maybe, many};
