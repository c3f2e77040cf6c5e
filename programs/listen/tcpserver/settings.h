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
	unsigned long backlog;
	unsigned long user;
	unsigned long group;
	const char *rules;
	const char *banner;
	const char *local_host; /* NULL: unknown */
	const char *interface;
	bool allow_without_rules;
	bool print_port;
	bool keep_ip_options;
	bool send_at_once;
	bool only_ipv4;
	bool keep_ipv6_form;
	bool look_up_host;
	bool look_up_info;
	const char *host;
	unsigned port;
	char **program;
};

/* Ends the program on wrong use, and when the port is none. */
struct settings read_options(int argc, char **argv);

/* "fatal: unable to DOING: cause" for errno, exit 111; with -q in silence. */
_Noreturn void fail(const struct settings *, const char *doing);

#endif
