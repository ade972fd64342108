"""Edges "a b" on standard input after a line with the number of nodes; igraph's answers as JSON."""
import json
import sys

import igraph

count = int(sys.stdin.readline())
edges = [tuple(map(int, line.split())) for line in sys.stdin]
graph = igraph.Graph(n=count, edges=edges, directed=True)
components = graph.connected_components(mode="strong").membership
print(json.dumps({
    "dag": graph.is_dag(),
    "components": components,
    "descendants": [sorted(set(graph.subcomponent(v, mode="out")) - {v}) for v in range(0, count, 7)],
    "ancestors": [sorted(set(graph.subcomponent(v, mode="in")) - {v}) for v in range(0, count, 7)],
    "order": graph.topological_sorting() if graph.is_dag() else [],
    "distances": [[-1 if d == float("inf") else d for d in row]
                  for row in graph.distances(source=list(range(0, count, 11)), mode="out")],
}))
