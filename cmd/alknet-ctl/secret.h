/* alknet-ctl secret: everything that libalk-secret does, for people and scripts. */
#ifndef CTL_SECRET_H
#define CTL_SECRET_H

/* argv[0] is "secret". Returns the exit status: 0, 1 for a failure, 2 for wrong usage. */
int ctl_secret(int argc, char **argv);

#endif
