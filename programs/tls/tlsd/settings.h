/* What tlsd was told: by options, and by the environment.
   SPDX-License-Identifier: ISC */
#ifndef TLSD_SETTINGS_H
#define TLSD_SETTINGS_H

#include <stdbool.h>
#include <sys/types.h>

enum verbosity { QUIET, NORMAL, VERBOSE };

/* A password for a key, with its NUL. */
enum { PASSWORD_SIZE = 1024 };

struct settings {
	enum verbosity verbosity;
	unsigned long handshake_seconds;
	unsigned long idle_seconds;
	unsigned long ticket_seconds; /* 0: no session is resumed */
	unsigned long waiting_limit;
	int ready_fd; /* -1: nobody wants to know */
	bool single_session;
	bool require_certificate;
	const char *socket_path; /* NULL: descriptor 0 is the socket */
	/* Files; NULL when unset or empty. */
	const char *certificate, *key, *staple;
	const char *ca_file, *ca_folder, *client_ca_file, *crl_folder;
	const char *dh_file;
	const char *ciphers;
	long verify_depth; /* -1: OpenSSL's own */
	const char *root;  /* chroot */
	uid_t user;
	gid_t group;
	char password[PASSWORD_SIZE];
};

/* Dies on misuse. Reads the password from descriptor 3 when told so. */
void settings_read(struct settings *, int argc, char **argv);

/* SSL_CHROOT, SSL_GID and SSL_UID; then nobody of that uid can look into this
   process, or attach a debugger, though the key is in it. Dies. */
void settings_confine(const struct settings *);

#endif
