// A graph in graphology's JSON on standard input; what graphology makes of it on
// standard output: {exported, acyclic, components, degrees, wouldCycle}.
'use strict';
const fs = require('fs');
const path = require('path');
const modules = path.join(__dirname, '../../build/npm/node_modules');
const {DirectedGraph} = require(path.join(modules, 'graphology'));
const dag = require(path.join(modules, 'graphology-dag'));
const {stronglyConnectedComponents} = require(path.join(modules, 'graphology-components'));

const graph = new DirectedGraph();
graph.import(JSON.parse(fs.readFileSync(0)));
const acyclic = !dag.hasCycle(graph);
const degrees = {};
graph.forEachNode((key) => { degrees[key] = [graph.inDegree(key), graph.outDegree(key)]; });
// pairs of nodes without an edge, and whether one would close a cycle
const wouldCycle = [];
const keys = graph.nodes();
if (acyclic)
  for (let i = 0; i < keys.length; i += 3)
    for (let j = 1; j < keys.length; j += 5)
      if (i !== j && !graph.hasEdge(keys[i], keys[j]))
        wouldCycle.push([keys[i], keys[j], dag.willCreateCycle(graph, keys[i], keys[j])]);
process.stdout.write(JSON.stringify({
  exported: graph.export(),
  acyclic,
  components: stronglyConnectedComponents(graph),
  degrees,
  wouldCycle,
}));
