"""What alknet-client's libssh2 can do."""
import subprocess

# Signatures of RSA keys with SHA-2 come with 1.11; before, it knows SHA-1 only, and a server must allow it.
OLD = subprocess.run(["pkg-config", "--atleast-version=1.11", "libssh2"]).returncode != 0
OLD_RSA = ("HostKeyAlgorithms +ssh-rsa", "PubkeyAcceptedAlgorithms +ssh-rsa") if OLD else ()
