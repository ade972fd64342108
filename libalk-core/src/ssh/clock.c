/* What an engine does by the clock: the login's grace, keepalive, new keys, memory given back. */
#include "ssh/engine.h"

enum {
    IDLE_TRIM_MS = 2000, /* buffers of a session that is quiet this long are given back */
};

static bool holds_idle_memory(const struct alk_ssh *ssh)
{
    return (ssh->in.data != NULL && alk_buffer_len(&ssh->in) == 0) ||
           (ssh->out.data != NULL && alk_buffer_len(&ssh->out) == 0);
}

static uint64_t earlier(uint64_t deadline, uint64_t start, uint64_t after)
{
    if (after > UINT64_MAX - start)
        return deadline;
    return start + after < deadline ? start + after : deadline;
}

/* What the next keepalive is counted from: every one has the whole time to be answered, even
 * when this process stood still meanwhile. */
static uint64_t keepalive_base(const struct alk_ssh *ssh)
{
    return ssh->keepalive_missed == 0 ? ssh->heard : ssh->keepalive_sent;
}

uint64_t alk_ssh_deadline(const struct alk_ssh *ssh)
{
    uint64_t deadline = UINT64_MAX;

    if (ssh->phase == PHASE_OVER)
        return deadline;
    if (ssh->phase != PHASE_OPEN)
        return earlier(deadline, ssh->started, ssh->options.grace_ms);
    deadline = earlier(deadline, keepalive_base(ssh), ssh->options.keepalive_ms);
    if (ssh->kex == NULL)
        deadline = earlier(deadline, ssh->kex_done, ssh->options.rekey_ms);
    else
        deadline = earlier(deadline, ssh->kex_begun, REKEY_MS_MAX);
    if (holds_idle_memory(ssh))
        deadline = earlier(deadline, ssh->active, IDLE_TRIM_MS);
    return deadline;
}

static void check_keepalive(struct alk_ssh *ssh)
{
    if (!ssh_elapsed(ssh, keepalive_base(ssh), ssh->options.keepalive_ms))
        return;
    if (ssh->keepalive_missed >= ssh->options.keepalive_misses) {
        ssh_fail(ssh, ALK_SSH_BY_CONNECTION_LOST, ALK_E_TIMEOUT,
                 "the peer has not answered for %u s", (unsigned)((ssh->now - ssh->heard) / 1000));
        return;
    }
    if (ssh_send_keepalive(ssh, false) != ALK_OK)
        return;
    ssh->keepalive_missed++;
    ssh->keepalive_sent = ssh->now;
}

void alk_ssh_tick(struct alk_ssh *ssh, uint64_t now)
{
    if (ssh->phase == PHASE_OVER)
        return;
    ssh->now = now;
    if (ssh->phase != PHASE_OPEN) {
        if (ssh_elapsed(ssh, ssh->started, ssh->options.grace_ms))
            ssh_fail(ssh, ALK_SSH_BY_APPLICATION, ALK_E_TIMEOUT,
                     "the login was not finished in time");
        return;
    }
    check_keepalive(ssh);
    if (ssh_kex_check(ssh) != ALK_OK)
        return;
    if (ssh_kex_due(ssh))
        ssh_kex_start(ssh);
    if (ssh_elapsed(ssh, ssh->active, IDLE_TRIM_MS)) {
        alk_buffer_trim(&ssh->in);
        alk_buffer_trim(&ssh->out);
        ssh->read_size = READ_FIRST;
    }
}
