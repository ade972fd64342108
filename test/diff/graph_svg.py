"""Graphviz's SVG on standard input; the texts of its nodes, in their order, as JSON."""
import json
import sys
import xml.etree.ElementTree

SVG = "{http://www.w3.org/2000/svg}"
nodes = [g for g in xml.etree.ElementTree.parse(sys.stdin).iter(SVG + "g") if g.get("class") == "node"]
print(json.dumps(["\n".join(text.text or "" for text in node.findall(SVG + "text")) for node in nodes]))
