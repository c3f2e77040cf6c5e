/* What tlsc is told.
   SPDX-License-Identifier: ISC */
#ifndef TLSC_SETTINGS_H
#define TLSC_SETTINGS_H

#include <stdbool.h>

struct settings {
	bool is_verbose;
	bool verifies;
	char *name;            /* the server's: asked for, and verified */
	const char *authority; /* -A: a file or folder; NULL: the system's */
	unsigned long seconds; /* for the handshake */
	int network_in;
	int network_out;
	int plain_in;
	int plain_out;
	int report; /* -1: none */
	char **program;
};

/* Ends the process for wrong use. */
struct settings read_settings(int argc, char **argv);

#endif
