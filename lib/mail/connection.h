/* What the stages before this one said of the connection: the TCP* variables
   of ucspi-tcp's environment (tcp-environ(5)). Texts from the environment are
   never trusted: a remote host name can hold any byte.
   SPDX-License-Identifier: ISC */
#ifndef MAIL_CONNECTION_H
#define MAIL_CONNECTION_H

#include <stdbool.h>

/* NULL where a variable is not set. */
struct connection {
	const char *remote_ip;
	const char *remote_port;
	const char *remote_host;
	const char *remote_info;
	const char *local_ip;
	const char *local_port;
	const char *local_host;
	const char *relay_suffix; /* $RELAYCLIENT: set, it may relay */
};

struct connection connection_from_environment(void);

#endif
