/* TLS and a login for a connection to the next server. No OpenSSL here: tlsc(1)
   speaks TLS, in a process of its own.
   SPDX-License-Identifier: ISC */
#ifndef QUEUE_SMTP_SECURITY_H
#define QUEUE_SMTP_SECURITY_H

#include <stdbool.h>

#include "mail/smtp_delivery.h"

enum tls_policy {
	TLS_NONE,
	TLS_MAY,    /* where the server has it, and it works */
	TLS_MUST,   /* with whomever */
	TLS_VERIFY, /* with a server that shows its certificate */
};

struct security {
	enum tls_policy policy;
	bool is_immediate;     /* no STARTTLS: TLS comes first */
	const char *authority; /* tlsc's -A; NULL: the system's */
	const char *login;     /* NULL: none */
	const char *password;
};

/* smtp_delivery_open; the delivery's settings are a struct security. */
enum smtp_step security_open(struct smtp_delivery *);

#endif
