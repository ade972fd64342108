#include "privilege.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

int privilege_check(const char *user, struct alk_error *error)
{
    errno = 0;
    const struct passwd *entry = getpwnam(user);

    if (entry == NULL)
        return alk_error_set(error, ALK_E_NOTFOUND,
                             "there is no user %s; make one with: useradd --system %s", user, user);
    if (entry->pw_uid != geteuid() && geteuid() != 0)
        return alk_error_set(error, ALK_E_DENIED,
                             "only root can become %s; start as root, or as %s without --user",
                             user, user);
    return ALK_OK;
}

static bool become(const struct passwd *entry)
{
    return initgroups(entry->pw_name, entry->pw_gid) == 0 &&
           setresgid(entry->pw_gid, entry->pw_gid, entry->pw_gid) == 0 &&
           setresuid(entry->pw_uid, entry->pw_uid, entry->pw_uid) == 0;
}

int privilege_drop(const char *user, struct alk_error *error)
{
    int status = privilege_check(user, error);

    if (status != ALK_OK)
        return status;
    const struct passwd *entry = getpwnam(user);
    if (entry == NULL || entry->pw_uid == geteuid())
        return ALK_OK;
    if (!become(entry) || (entry->pw_uid != 0 && setuid(0) == 0))
        return alk_error_set(error, ALK_E_DENIED, "cannot become %s: %s", user, strerror(errno));
    prctl(PR_SET_DUMPABLE, 0); /* the change of user has set it anew */
    return ALK_OK;
}
