/* What the command line asks for.
   SPDX-License-Identifier: ISC */
#ifndef TCPSERVER_SETTINGS_H
#define TCPSERVER_SETTINGS_H

#include <stdbool.h>

enum { NAME_SHOWN = 256 }; /* of a word of the command line in a message */

enum verbosity { QUIET, ERRORS, STATUS };

struct settings {
	enum verbosity verbosity;
	unsigned long limit;
	const char *limit_file; /* NULL: `limit` is the number */
	unsigned long backlog;
	unsigned long user;
	unsigned long group;
	const char *rules;
	const char *banner;
	const char *local_host; /* NULL: look it up */
	const char *interface;
	bool allow_without_rules;
	bool print_port;
	int ready_fd; /* -1: none */
	bool keep_ip_options;
	bool send_at_once;
	bool only_ipv4;
	bool keep_ipv6_form;
	bool look_up_host;
	bool check_host;
	bool look_up_info;
	unsigned long look_up_seconds; /* for all of a client's names */
	const char *hosts;             /* one or more, as are the ports */
	const char *ports;
	char **program;
};

/* Ends the program on wrong use, and when a port is none. */
struct settings read_options(int argc, char **argv);

/* The first number of the file of -c. 0, or -1 with errno: EINVAL when there is
   none, ERANGE when it is too large. */
int read_limit(const char *path, unsigned long *limit);

/* The next of a list of ports, as long as there is one; it ends the program
   when that is none. Begin with `settings->ports`. */
bool next_port(const struct settings *, const char **list, unsigned *port);

/* Host "-": descriptor 0 listens already. */
bool takes_standard_input(const struct settings *);

/* "fatal: unable to DOING: cause" for errno, exit 111; with -q in silence. */
_Noreturn void fail(const struct settings *, const char *doing);

#endif
