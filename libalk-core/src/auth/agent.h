/*
 * The ssh-agent protocol (draft-ietf-sshm-ssh-agent), as messages without I/O:
 * the caller writes requests to the agent's socket and feeds back what it reads.
 */
#ifndef ALK_AGENT_H
#define ALK_AGENT_H

#include <alk/key.h>
#include <stdbool.h>
#include <sys/types.h>

enum {
    ALK_AGENT_KEYS_MAX = 64,
    ALK_AGENT_MESSAGE_MAX = 256 * 1024,
};

struct alk_agent_identity {
    const uint8_t *blob; /* of a key of any type; borrowed from the message */
    size_t blob_len;
    char comment[ALK_KEY_COMMENT_MAX];
};

/* Length of the first whole message (with its 4-byte length), 0 when more bytes
 * are needed, ALK_E_LIMIT when it announces more than the maximum. */
ssize_t alk_agent_message_length(const uint8_t *data, size_t len);

/* Writes SSH_AGENTC_REQUEST_IDENTITIES; returns its size. */
size_t alk_agent_request_identities(uint8_t out[5]);

typedef bool (*alk_agent_wanted_fn)(const void *user, const uint8_t *blob, size_t len);

/* Parses SSH_AGENT_IDENTITIES_ANSWER; returns how many identities it kept, or a negative status.
 * It keeps those that are wanted, however many others the agent holds, and of these the first
 * that fit: max, or ALK_AGENT_KEYS_MAX. */
int alk_agent_parse_identities(const uint8_t *message, size_t len, alk_agent_wanted_fn wanted,
                               const void *user, struct alk_agent_identity *out, size_t max);

/* Writes SSH_AGENTC_SIGN_REQUEST; returns its size or ALK_E_LIMIT. The data is what a login signs
 * (RFC 4252 section 7): it names the algorithm, which for an RSA key the agent must be told. */
ssize_t alk_agent_request_signature(const uint8_t *blob, size_t blob_len, const void *data,
                                    size_t data_len, uint8_t *out, size_t size);

/* Parses SSH_AGENT_SIGN_RESPONSE: *signature is the signature blob, borrowed from the message.
 * ALK_E_DENIED when the agent answered with failure. */
int alk_agent_parse_signature(const uint8_t *message, size_t len, const uint8_t **signature,
                              size_t *signature_len);

#endif
