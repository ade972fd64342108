/* The commands of alknet-ctl. Each takes its own options and returns the exit code:
 * 0, EXIT_RUN or EXIT_USAGE. */
#ifndef ALKNET_CTL_H
#define ALKNET_CTL_H

int ctl_keygen(int argc, char **argv);
int ctl_fingerprint(int argc, char **argv);
int ctl_token(int argc, char **argv);
int ctl_api_key(int argc, char **argv);
int ctl_config(int argc, char **argv);
int ctl_policy(int argc, char **argv);
int ctl_credential(int argc, char **argv);
int ctl_status(int argc, char **argv);

#endif
