"""ssh-audit's opinion of alknet-server."""

import re
import subprocess

# What it may say, and why that stays.
EXPECTED = {
    "kex-strict-s-v00@openssh.com": "older releases do not know the marker of strict key exchange",
    "hmac-sha2-256": "for libssh2 1.10, see docs/adr/0005-plain-mac.md",
    "curve25519-sha256": "newer releases warn of every exchange that is not post-quantum",
    "curve25519-sha256@libssh.org": "the same",
}


def test_no_failure_and_no_warning_that_could_be_avoided(lab):
    server = lab.server()
    result = subprocess.run(["ssh-audit", "-n", "-l", "warn", f"127.0.0.1:{server.port}"],
                            capture_output=True, text=True, timeout=60)
    complaints = [line for line in result.stdout.splitlines() if "[fail]" in line or "[warn]" in line]
    assert "hmac-sha2-256" in result.stdout, f"ssh-audit did not look at the server: {result.stdout}{result.stderr}"
    assert not [line for line in complaints if "[fail]" in line], "\n".join(complaints)
    surprising = []
    for line in complaints:
        algorithm = re.match(r"\((?:kex|key|enc|mac|aut)\) (\S+)", line)
        # the further lines of an algorithm begin with blanks, and are of its kind
        if algorithm and algorithm.group(1) not in EXPECTED:
            surprising.append(line)
    assert not surprising, "\n".join(surprising)
