"""The table, the JSON file, and docs/benchmarks.md made from it."""

import datetime
import json
import os
import platform
import re
import subprocess

HEAD = ("figure", "alknet", "peer", "ratio", "spread", "goal", "met")


def _run(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "not installed"
    return (done.stdout or done.stderr).strip().splitlines()[0] if done.stdout or done.stderr else ""


def machine(programs):
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = re.search(r"model name\s*:\s*(.*)", file.read())
    with open("/proc/meminfo", encoding="utf-8") as file:
        memory = int(re.search(r"MemTotal:\s*(\d+)", file.read()).group(1)) // 1024
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "cpu": model.group(1) if model else platform.machine(),
        "cores": os.cpu_count(),
        "memory_mb": memory,
        "kernel": platform.release(),
        "system": _system(),
        "alknet": _run(os.path.join(programs, "alknet-server"), "--version"),
        "commit": _run("git", "describe", "--always", "--dirty"),
        "openssh": _run("ssh", "-V"),
        "openssl": _run("openssl", "version"),
        "load_average": os.getloadavg()[0],
    }


def _system():
    with open("/etc/os-release", encoding="utf-8") as file:
        name = re.search(r'PRETTY_NAME="?([^"\n]*)', file.read())
    return name.group(1) if name else "unknown"


def number(value):
    if value is None:
        return "-"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 10 else f"{value:.1f}"


def cells(result):
    unit = f" {result['unit']}" if result["unit"] else ""
    peer = f"{number(result['peer_median'])} ({result['peer_name']})" if result["peer"] else "-"
    goal = "-"
    if result["goal"]:
        sign, bound, kind = result["goal"]
        goal = f"{sign} {number(bound)}" + (" x" if kind == "ratio" else unit)
    spread = result["spread"]
    return (
        result["what"],
        number(result["alknet_median"]) + unit,
        peer,
        number(result["ratio"]),
        f"{number(spread[0])}-{number(spread[1])}" if spread else "-",
        goal,
        "-" if result["met"] is None else "yes" if result["met"] else "NO",
    )


def disturbed(data):
    """A sentence when other work ran on the machine, else nothing."""
    worst = max(data["busy"].values(), default=0)
    if worst <= 0.1:
        return ""
    return f"The machine was up to {worst:.0%} busy with other work: take the figures with care."


def table(data):
    lines = [HEAD] + [cells(r) for r in data["results"]]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines]
    text.insert(1, "  ".join("-" * width for width in widths))
    text += [f"{row}: not taken: {why}" for row, why in data["failures"].items()]
    judged = [r["met"] for r in data["results"] if r["met"] is not None]
    text.append(f"{sum(judged)} of {len(judged)} goals met")
    return "\n".join(text + [disturbed(data)]).rstrip()


def write_json(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(data, file, indent=1)
        file.write("\n")


INTRODUCTION = """# Benchmarks

This page is made by `test/bench/run.py --write-docs` from the last full run of `make bench`.
Take your own: absolute figures belong to one machine, ratios travel better.

Path measured: load tool, SOCKS5 port of `alknet-client`, `alknet-server`, target, all on loopback and
all on the same cores. Each figure is taken in turns with its peer and is the median of the rounds;
*ratio* is alknet divided by the peer; *spread* is the smallest and the largest ratio of one round (without a peer: the
figure's own smallest and largest, by its median).

- *bare pair*: two relays in a row that only frame and encrypt with AES-256-GCM (`plain`: not even that), a thread per
  direction. It is the ceiling for a tunnel of two programs on this machine.
- *ssh -D*: OpenSSH's client and sshd of the same system; where one cipher is named alone, it was the fastest.
- Memory is what only these processes hold (private pages), without the kernel's socket buffers.

"""


def write_docs(data, path):
    about = data["machine"]
    lines = [INTRODUCTION, f"Machine: {about['cpu']}, {about['cores']} cores, {about['memory_mb']} MB, "]
    lines.append(f"{about['system']}, Linux {about['kernel']}. Peers: {about['openssh']}. ")
    lines.append(f"{about['alknet']} ({about['commit']}), {about['date']}, ")
    lines.append(f"{data['rounds']} rounds of {number(data['seconds'])} s{', a quick run' if data['quick'] else ''}. {disturbed(data)}\n\n")
    lines.append("| " + " | ".join(HEAD) + " |\n|" + "---|" * len(HEAD) + "\n")
    for result in data["results"]:
        lines.append("| " + " | ".join(cells(result)) + " |\n")
    notes = [f"- {r['what']}: {r['note']}\n" for r in data["results"] if r["note"]]
    if notes:
        lines.append("\n" + "".join(notes))
    for row, why in data["failures"].items():
        lines.append(f"\nNot taken: {row}: {why}\n")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write("".join(lines))
