/* What the operator has set: control files and environment (smtpd(8) lists
   them). They are read at the start; `policy` once more when a client has logged
   in, as its login may bring settings of its own.
   SPDX-License-Identifier: ISC */
#ifndef SMTPD_SETTINGS_H
#define SMTPD_SETTINGS_H

#include <stdbool.h>

#include "base/str.h"
#include "mail/queue_client.h"
#include "system/table.h"

/* Whose mail is taken, beside that for addresses without a domain. */
enum relaying {
	RELAY_LISTED,      /* for the domains of rcpthosts */
	RELAY_NOTHING,     /* there is no list */
	RELAY_EVERYTHING,  /* there is no list, and that is wanted */
	RELAY_THIS_CLIENT, /* $RELAYCLIENT, or a login */
};

/* In `utf8`, which is also a flag: SMTPUTF8 is offered. */
enum {
	UTF8_REQUIRED = 2, /* for an address that is not ASCII */
};

/* A number or a text that is not set is 0 or NULL; what the variables mean
   stands at their names in settings.c. In an order to be read: there is one.
   NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding) */
struct policy {
	unsigned long databytes; /* 0: no limit */
	unsigned long log_mail;
	unsigned long log_recipients;
	unsigned long help_version;

	/* Of the sender. */
	unsigned long sender_check; /* MFCHECK */
	bool sender_mx_check;       /* RETURNMXCHECK */
	bool refuse_bounces;        /* NOBOUNCE */
	bool bounce_has_one_recipient;
	bool sanity_check;
	const char *local_sender_check; /* SENDERCHECK */
	bool rbl;
	bool rbl_only_header;
	unsigned long spf_behavior;
	unsigned long spf_log;
	unsigned long spf_block_plus_all;

	/* Of the recipient. */
	unsigned long recipients_limit;   /* MAXRCPT */
	unsigned long accepted_limit;     /* MAXRCPTCOUNT */
	unsigned long refuse_relay_signs; /* RELAYREJ */
	bool block_relay_probe;           /* the same by another name */
	const char *recipient_table;      /* VALIDRCPTTO_CDB */
	unsigned long strangers_limit;    /* VALIDRCPTTO_LIMIT */
	unsigned long recipient_table_log;
	const char *recipient_check; /* RCPTCHECK: a path, or a flag */
	unsigned long check_relayed_recipients; /* RCPTCHECKRELAYCLIENT */
	unsigned long bad_recipient_delay;
	bool soft_failure_is_ok; /* LDAPSOFTOK */
	unsigned long tarpit_count;
	unsigned long tarpit_delay;

	/* Of the message. */
	bool refuse_executables; /* REJECTEXEC */
	unsigned long auth_results;

	bool no_bad_helo;  /* NOBADHELO */
	bool log_patterns; /* LOGREGEX */
};

struct settings {
	struct policy policy;
	struct policy unset; /* what it is without the environment */

	struct str me;
	struct str greeting;
	const char *greeting_text; /* SMTPGREETING */
	struct str literal_host;   /* stands for [our own IP address] */
	unsigned long timeout;
	enum relaying relaying;
	enum relaying relaying_for_all; /* without RELAYCLIENT or a login */
	struct str recipient_hosts;
	struct table more_recipient_hosts;
	const char *relay_suffix;
	struct queue_client_settings queue;
	unsigned long helper_timeout;

	/* What is offered. */
	unsigned long enhanced_codes;
	unsigned long chunking;
	unsigned long utf8;
	unsigned long xclient;
	unsigned long normalize_bare_lf;
	unsigned long protocol_words;
	unsigned long client_name; /* SMTP_IPREV */

	/* Logins. */
	const char *auth_table; /* AUTH_CDB */
	unsigned long require_auth;
	bool auth_required; /* AUTHREQUIRED */
	bool authorized;    /* AUTHORIZED: as if there had been a login */
	unsigned long insecure_auth;
	unsigned long cram_md5;
	unsigned long scram;
	unsigned long auth_challenge_first; /* before the answer to it */
	const char *smtp_auth;              /* SMTPAUTH */
	const char *auth_prepend;
	unsigned long auth_delay;
	unsigned long auth_failures_limit;

	/* The session. */
	const char *greeting_554; /* 550GREETING */
	const char *greeting_421;
	bool disconnect; /* SMTP550DISCONNECT */
	unsigned long errors_limit;
	unsigned long junk_limit;
	unsigned long command_timeout; /* 0: none */
	bool plugins;                  /* ENABLE_SPP */
	bool no_plugins;               /* NOSPP */
	const char *plugins_file;
};

/* 0, or -1 when something is there and cannot be read, or there is no name to
   greet with; `*what` is the control file, errno the cause (0: it is not
   there). */
int settings_read(struct settings *, const char *relay_suffix,
		  const char **what);

/* The policy anew, and the queue program, from the environment as it is now. */
void settings_read_policy(struct settings *);

#endif
