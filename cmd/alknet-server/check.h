/* alknet-server --check: everything is judged, nothing is changed. */
#ifndef ALKNET_SERVER_CHECK_H
#define ALKNET_SERVER_CHECK_H

#include "settings.h"

/* Judges what the settings name, after the file itself was judged with the result `code` (-1: in
 * order). Prints each fault, or that all is in order. Returns the exit code. */
int check_settings(const struct settings *settings, int code);

#endif
